"""The pages of the board, and writing those that changed.

Here: which page says what, its links and CSV files, and bringing a folder up to date: a file is replaced whole or not at all, what
nobody links to any more is removed, and a picture whose figures did not change is not drawn again. Not here: the figures
(:mod:`.read`), drawing (:mod:`.pictures`), the layout (``templates/``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from assets.installation import Installation
from assets.reference.units import load_places
from assets.returns.cells import csv_bytes
from expectations.suite import check_of
from schemas.codes import CODES
from schemas.contract import Contract
from schemas.messages import text as said
from schemas.vietnam import VIETNAM, local_day, written_day, written_number

from . import pictures
from .read import PROVINCE, PUBLIC, Board, Row, read

_HERE = Path(__file__).parent
_SIGNS = {"DAT": "✓", "DAT_MOT_PHAN": "◐", "TIEP_NHAN": "…", "TU_CHOI": "✗", "CHUA_NOP": "–"}
"""Signs of the states of the log of submissions, the best first."""
_WORST = tuple(reversed(_SIGNS))
_MOST = 200
"""Rows of a table on a page; its CSV has all."""


@dataclass
class Built:
    """What building a board did: files written, left as they were, removed; pictures that had to be drawn."""

    folder: Path
    publish: int
    written: int = 0
    same: int = 0
    removed: int = 0
    drawn: int = 0


@dataclass
class _Cell:
    text: str
    href: str = ""
    status: str = ""
    raw: Any = None


@dataclass
class _Head:
    text: str
    number: bool = False


@dataclass
class _Table:
    caption: str
    head: list[_Head]
    rows: list[list[_Cell]]
    csv: str = ""


@dataclass
class _Section:
    title: str
    id: str = ""
    href: str = ""
    lead: list[str] = field(default_factory=list)
    status: tuple[str, str] | None = None
    tiles: Mapping[str, Any] | None = None
    picture: Mapping[str, str] | None = None
    table: _Table | None = None
    folded: bool = False


def build_board(
    connection: psycopg.Connection,
    installation: Installation,
    audience: str = PUBLIC,
    folder: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """:func:`build` for an installation, in ``board/<audience>`` of its home or another folder."""
    settings = installation.settings
    places = load_places(settings.reference, settings.province)
    return build(
        connection, installation.contracts, places, folder or settings.home / "board" / audience, audience, progress
    )


def build(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    places: Mapping[str, tuple[float, float]],
    folder: Path,
    audience: str = PUBLIC,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Bring the board of an audience in ``folder`` up to date with the publish that readers see.

    ``places``: code -> (latitude, longitude) of the communes. The folder is the board's own: files in it that are none of its are
    removed. Raises :class:`.read.NoSuchAudience`.
    """
    board = read(connection, contracts, audience)
    site = _Site(board, contracts, places, folder)
    site.compose()
    return site.write(progress)


class _Site:
    def __init__(
        self, board: Board, contracts: Mapping[str, Contract], places: Mapping[str, tuple[float, float]], folder: Path
    ) -> None:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        self.board, self.contracts, self.folder = board, contracts, folder
        self.environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.files: dict[str, bytes | Callable[[], bytes]] = {}
        self.names = {s["code"]: s["name"] for s in board.senders}
        self.titles = {c.dataset: c.title for c in contracts.values()}
        self.themes = list(dict.fromkeys(f["theme"] for f in board.figures))
        self.by_sender, self.by_dataset = _grouped(board.log, "sender"), _grouped(board.log, "dataset")
        self.grid = pictures.tiles(places)
        told = sorted(self.by_dataset, key=list(contracts).index)
        self.datasets = [{"name": d, "title": self.titles[d]} for d in told]

    # ----------------------------------------------------------------------------------------------------- the pages

    def compose(self) -> None:
        """Put all files together, pictures as what draws them."""
        self.files["style.css"] = (_HERE / "templates" / "style.css").read_bytes()
        self._matrix()
        heard = self.by_sender.keys() | {r["sender"] for r in self.board.submissions}
        for sender in self.board.senders:
            if sender["code"] in heard:
                self._sender(sender)
        for dataset in self.datasets:
            self._dataset(dataset["name"])
        # each stands on two pages
        self.trends = {_key(f): self._trend(f) for f in self.board.figures if _key(f) in self.board.trend}
        for theme in self.themes:
            self._theme(theme)
        for code in dict.fromkeys(f["indicator"] for f in self.board.figures):
            self._indicator(code)
        self._lists()

    def _page(self, path: str, title: str, template: str = "page.html", **parts: Any) -> None:
        root = "../" * path.count("/")
        menu = [("index.html", "Tình hình nộp", "index.html")]
        menu += [(f"themes/{t}.html", said("theme", t), f"themes/{t}.html") for t in self.themes]
        menu += [("worklists.html", "Việc đang chờ", "worklists.html")]
        at = self.board.published_at
        empty: dict[str, Any] = {"lead": [], "cards": [], "sections": [], "formula": ""}
        text = self.environment.get_template(template).render(
            **{**empty, **parts},
            title=_short(title),
            root=root,
            menu=[(href, name, here == path) for href, name, here in menu],
            audience=self._audience(),
            publish=self.board.publish,
            published_at=at and f"{at.astimezone(VIETNAM):%H:%M ngày %d/%m/%Y}",
        )
        self.files[path] = text.encode()

    def _audience(self) -> str:
        if self.board.audience == PUBLIC:
            return ""
        return "cơ quan đầu mối của tỉnh" if self.board.audience == PROVINCE else self.names[self.board.audience]

    def _matrix(self) -> None:
        quarters = sorted({_quarter(r["period_last"]) for r in self.board.log}, reverse=True)
        due = [r for r in self.board.log if r["due"]]
        # the last quarter that was over when something last arrived: of a younger one little is due yet
        last = max((local_day(r["received_at"]) for r in self.board.log if r["received_at"]), default=None)
        over = [q for q in quarters if last is not None and q < _quarter(last)]
        asked = next(iter(over or quarters), "")
        newest = [r for r in due if _quarter(r["period_last"]) == asked]
        good = sum(r["state"] in ("DAT", "DAT_MOT_PHAN") for r in newest)
        cards = [
            (written_number(len({r["sender"] for r in self.board.log if r["received_at"]})), "đơn vị đã nộp", ""),
            (
                f"{good}/{len(newest)}",
                f"kỳ phải nộp đã đạt trong quý {asked}" if asked else "kỳ phải nộp đã đạt",
                "",
            ),
            (written_number(sum(f["status"] == "MET" for f in self.board.figures)), "chỉ số đạt chỉ tiêu", ""),
            (written_number(sum(self.board.waiting.values())), "việc đang chờ xử lý", "worklists.html"),
        ]
        if not quarters:
            self._page("index.html", "Tình hình nộp số liệu", "index.html", periods=[], cards=cards)
        paths = {q: "index.html" if q == asked else f"periods/{q}.html" for q in quarters}
        for quarter, path in paths.items():
            rows = self._matrix_rows(quarter)
            shown = {n for r in rows for n, c in enumerate(r["cells"]) if c}
            csv_path = f"csv/nop_{quarter}.csv"
            head = ["ma_don_vi", "don_vi", *(d["name"] for d in self.datasets)]
            self.files[csv_path] = csv_bytes(
                [head, *([r["code"], r["name"], *(c and c["code"] for c in r["cells"])] for r in rows)]
            )
            self._page(
                path,
                "Tình hình nộp số liệu",
                "index.html",
                period=quarter,
                periods=[(place, q, q == quarter) for q, place in paths.items()],
                cards=cards,
                key=[(code, sign, said("log_state", code)) for code, sign in _SIGNS.items()],
                datasets=[d for n, d in enumerate(self.datasets) if n in shown],
                matrix=[{**r, "cells": [c for n, c in enumerate(r["cells"]) if n in shown]} for r in rows],
                csv=csv_path,
            )

    def _matrix_rows(self, quarter: str) -> list[dict[str, Any]]:
        cells: dict[tuple[str, str], list[Row]] = {}
        for row in self.board.log:
            if _quarter(row["period_last"]) == quarter and (row["due"] or row["received_at"]):
                cells.setdefault((row["sender"], row["dataset"]), []).append(row)
        return [
            {
                "code": s["code"],
                "name": s["name"],
                "cells": [_state(cells.get((s["code"], d["name"]), [])) for d in self.datasets],
            }
            for s in self.board.senders
            if any((s["code"], d["name"]) in cells for d in self.datasets)
        ]

    def _sender(self, sender: Row) -> None:
        code = sender["code"]
        log = self.by_sender.get(code, [])
        due = [r for r in log if r["due"]]
        read_, bad = (sum(r[k] for r in log) for k in ("rows_read", "rows_faulty"))
        cards = [
            (f"{sum(map(_in_time, due))}/{len(due)}", "kỳ phải nộp đã nộp đúng hạn", ""),
            (written_number(read_), "dòng đã gửi", ""),
            (written_number(bad), "dòng còn lỗi trong các bản đang có hiệu lực", ""),
            (written_number(sum(r["reminders"] for r in due)), "lần quá hạn chưa nộp", ""),
        ]
        sections = [
            self._over_time(
                "Theo quý",
                sender["name"],
                "Quý",
                log,
                lambda r: _quarter(r["period_last"]),
                f"csv/don_vi_{code}_quy.csv",
                # a picture for each sender would make every publish draw a hundred
                drawn=bool(log) and self.board.may_see(code),
            ),
            _Section("Từng kỳ", table=self._log_table(log, f"csv/don_vi_{code}.csv", "dataset", sender["name"])),
        ]
        if self.board.may_see(code):
            sections += [self._errors(code), self._submissions(code)]
        self._page(f"senders/{code}.html", sender["name"], cards=cards, sections=[s for s in sections if s.table])

    def _log_table(self, log: Sequence[Row], path: str, by: str, of: str) -> _Table | None:
        head = [
            "Bộ dữ liệu" if by == "dataset" else "Đơn vị",
            "Kỳ",
            "Hạn nộp",
            "Nộp ngày",
            "Kết quả",
            "Dòng đã nhận",
            "Dòng lỗi",
        ]
        rows = [
            [
                _Cell(self.titles[r["dataset"]], f"datasets/{r['dataset']}.html")
                if by == "dataset"
                else _Cell(self.names.get(r["sender"]) or r["sender"], f"senders/{r['sender']}.html"),
                _Cell(r["period"]),
                _day(r["due_on"]),
                _day(r["received_at"] and local_day(r["received_at"])),
                _told("log_state", r["state"]),
                _number(r["rows_accepted"]),
                _number(r["rows_faulty"]),
            ]
            for r in sorted(log, key=lambda r: (r["period_last"], r[by]), reverse=True)
        ]
        return self._table(f"Các kỳ của {of}", head, rows, path, numbers=(5, 6))

    def _errors(self, code: str) -> _Section:
        found = [e for e in self.board.errors if e["sender"] == code]
        rows = [
            [
                _Cell(said("severity", e["severity"]), raw=e["severity"]),
                _Cell(self.titles.get(e["dataset"]) or e["dataset"]),
                _Cell(e["period"] or ""),
                _Cell(self._kind(e)),
                _Cell(e["address"] or ""),
                _number(e["n"]),
            ]
            for e in found
        ]
        head = ["Mức", "Bộ dữ liệu", "Kỳ", "Lỗi gì", "Ô đầu tiên", "Số dòng"]
        return _Section(
            "Lỗi theo loại",
            table=self._table(
                "Lỗi trong các bản đang có hiệu lực hoặc tạm giữ", head, rows, f"csv/loi_{code}.csv", numbers=(5,)
            ),
        )

    def _kind(self, error: Row) -> str:
        contract = self.contracts.get(error["dataset"])
        column = contract.find(error["column_name"]) if contract else None
        if error["rule"] in CODES:
            return CODES[error["rule"]].text(label=column.label if column else error["column_name"], value="…")
        check = check_of(contract, error["rule"]) if contract else None
        return check.message if check else error["rule"]

    def _submissions(self, code: str) -> _Section:
        rows = [
            [
                _Cell(u["submission_id"], self._answer(u["submission_id"])),
                _Cell(self.titles.get(u["dataset"] or "", "không nhận ra")),
                _Cell(u["period"] or ""),
                _day(local_day(u["received_at"])),
                _Cell(_short(u["file_name"])),
                _Cell(said("state", u["state"])),
                *(_number(u[k] or 0) for k in ("rows_read", "rows_accepted", "rows_quarantined", "rows_set_aside")),
            ]
            for u in self.board.submissions
            if u["sender"] == code
        ]
        head = [
            "Bản nộp",
            "Bộ dữ liệu",
            "Kỳ",
            "Nhận ngày",
            "Tên tệp",
            "Kết quả",
            "Dòng đọc",
            "Dòng nhận",
            "Dòng lỗi",
            "Để ngoài",
        ]
        table = self._table(
            "Các bản đã nộp, bản mới nhất trước", head, rows, f"csv/ban_nop_{code}.csv", numbers=(6, 7, 8, 9)
        )
        lead = [f"Tệp có đánh dấu ô sai được gửi trả ở thư mục returns/<kỳ>/{code}/."]
        return _Section("Các bản đã nộp", lead=lead, table=table)

    def _answer(self, name: str) -> str:
        """Write the page of the answer to a submission; its path, or '' where there is none for this audience."""
        told = self.board.answers.get(name)
        if told is None:
            return ""
        about = [
            [_Cell(said("severity", p["severity"])), _Cell(_short(p["message"], 1000)), _Cell(p["remedy"])]
            for p in told["problems"]
        ]
        cells = [
            [
                _Cell(f"{r['sheet']}!{r['address']}" if r["sheet"] else r["address"]),
                _Cell(r["label"] or ""),
                _Cell(said("severity", r["severity"])),
                _Cell(_short(str(r["value"] or ""))),
                _Cell(_short(r["message"], 1000)),
                _Cell(r["remedy"]),
            ]
            for r in told["rows"]
            if not r["waived"]
        ]
        files = f"csv/tra_loi_{name}"
        whole = self._table("Về cả tệp", ["Mức", "Nội dung", "Cách sửa"], about, f"{files}_tep.csv")
        head = ["Ô", "Cột", "Mức", "Giá trị", "Nội dung", "Cách sửa"]
        marked = self._table("Ô cần sửa hoặc nên xem lại", head, cells, f"{files}.csv")
        sections = [_Section("Về cả tệp", table=whole), _Section("Từng ô", table=marked)]
        lead = [f"Tệp {_short(told['file'])}, kỳ {told['period'] or 'không rõ'}: {told['state_label']}."]
        if whole is None and marked is None:
            lead.append("Không có gì phải sửa.")
        path = f"answers/{name}.html"
        self._page(path, f"Trả lời bản nộp {name}", lead=lead, sections=[s for s in sections if s.table])
        return path

    def _dataset(self, name: str) -> None:
        log = self.by_dataset[name]
        contract = self.contracts[name]
        newest = max((r["period_last"], r["period"]) for r in log)[1]
        self._page(
            f"datasets/{name}.html",
            contract.title,
            lead=[contract.description],
            sections=[
                self._over_time(
                    "Chất lượng theo thời gian", contract.title, "Kỳ", log, lambda r: r["period"], f"csv/bo_{name}.csv"
                ),
                _Section(
                    f"Kỳ {newest}",
                    table=self._log_table(
                        [r for r in log if r["period"] == newest],
                        f"csv/bo_{name}_ky_moi.csv",
                        "sender",
                        f"{contract.title}, kỳ {newest}",
                    ),
                ),
            ],
        )

    def _over_time(
        self,
        title: str,
        of: str,
        step: str,
        log: Sequence[Row],
        at: Callable[[Row], str],
        path: str,
        drawn: bool = True,
    ) -> _Section:
        """What was due, came, came in time, and its rows, by ``at`` of each line of the log."""
        by: dict[str, list[Row]] = {}
        for r in sorted(log, key=lambda r: r["period_last"]):
            by.setdefault(at(r), []).append(r)
        periods = list(by)
        parts = {
            word: [sum(r[k] for r in by[p]) for p in periods]
            for word, k in (("dòng nhận", "rows_accepted"), ("dòng lỗi", "rows_faulty"))
        }
        rows = []
        for n, p in reversed(list(enumerate(periods))):
            due = [r for r in by[p] if r["due"]]
            sums = [len(due), sum(bool(r["received_at"]) for r in by[p]), sum(map(_in_time, due))]
            rows.append([_Cell(p), *map(_number, (*sums, *(counts[n] for counts in parts.values())))])
        picture = self._picture(
            lambda: pictures.quality(periods, parts), ("quality", periods, parts),
            f"Số dòng nhận và số dòng lỗi của {of} theo {step.lower()}", "Số liệu ở bảng dưới",
        ) if drawn else None  # fmt: skip
        head = [step, "Phải nộp", "Đã nộp", "Đúng hạn", "Dòng nhận", "Dòng lỗi"]
        table = self._table(f"{of}: chất lượng theo {step.lower()}", head, rows, path, numbers=range(1, 6))
        return _Section(title, picture=picture, table=table)

    def _theme(self, theme: str) -> None:
        figures = [f for f in self.board.figures if f["theme"] == theme]
        head = ["Chỉ số", "Giá trị", "Đơn vị tính", "Kỳ", "Chỉ tiêu", "Kết quả"]
        rows = [
            [
                _Cell(_named(f), f"indicators/{f['indicator']}.html"),
                _number(f["value"]),
                _Cell(f["measured_in"]),
                _Cell(f["period"] or ""),
                _number(f["target"]),
                _told("status", f["status"]),
            ]
            for f in figures
        ]
        sections = [
            _Section(
                "Toàn tỉnh, kỳ mới nhất",
                table=self._table(said("theme", theme), head, rows, f"csv/nhom_{theme}.csv", numbers=(1, 4)),
            )
        ]
        sections += [
            replace(self.trends[_key(f)], href=f"indicators/{f['indicator']}.html", folded=True)
            for f in figures
            if _key(f) in self.trends
        ]
        self._page(f"themes/{theme}.html", said("theme", theme), sections=sections)

    def _trend(self, figure: Row) -> _Section:
        values = self.board.trend[_key(figure)]
        name, unit = _named(figure), figure["measured_in"]
        periods = [v["period"] for v in values]
        numbers, targets = ([None if v[k] is None else float(v[k]) for v in values] for k in ("value", "target"))
        picture, goal = None, "; đường đứt là chỉ tiêu" if any(t is not None for t in targets) else ""
        if any(n is not None for n in numbers):
            picture = self._picture(
                lambda: pictures.trend(periods, numbers, targets, unit), ("trend", periods, numbers, targets, unit),
                f"{name} theo kỳ, từ {periods[0]} đến {periods[-1]}",
                f"{name} ({unit}){goal}. Số liệu ở bảng dưới.",
            )  # fmt: skip
        head = ["Kỳ", "Giá trị", "Tử số", "Mẫu số", "Chưa rõ", "Chỉ tiêu", "Kết quả"]
        rows = [[_Cell(v["period"]), *_measured(v)] for v in reversed(values)]
        key = _file(*_key(figure))
        table = self._table(f"{name} ({unit}), toàn tỉnh", head, rows, f"csv/{key}.csv", numbers=range(1, 6))
        return _Section(name, key, picture=picture, table=table)

    def _indicator(self, code: str) -> None:
        figures = [f for f in self.board.figures if f["indicator"] == code]
        sections = []
        for figure in figures:
            key = _key(figure)
            if key in self.trends:
                status = (figure["status"], said("status", figure["status"]))
                sections.append(replace(self.trends[key], status=status))
            units = self.board.units.get(key, [])
            communes = {u["unit"]: u for u in units if u["unit_kind"] == "COMMUNE"}
            if communes and self.grid:
                sections.append(_Section(f"{_named(figure)}: bản đồ ô các xã", tiles=self._tiles(figure, communes)))
            if units:
                head = ["Đơn vị", "Kỳ", "Giá trị", "Tử số", "Mẫu số", "Chưa rõ", "Chỉ tiêu", "Kết quả"]
                rows = [[_Cell(u["unit_name"] or u["unit"]), _Cell(u["period"]), *_measured(u)] for u in units]
                path = f"csv/{_file(*key)}_don_vi.csv"
                table = self._table(
                    f"{_named(figure)} ({figure['measured_in']}) theo đơn vị, kỳ mới nhất",
                    head,
                    rows,
                    path,
                    numbers=range(2, 7),
                )
                sections.append(_Section(f"{_named(figure)}: từng đơn vị", table=table))
        first = figures[0]
        title, lead = f"{code} {first['name_vi']}", [f"Nguồn: {first['source']}"]
        self._page(f"indicators/{code}.html", title, lead=lead, formula=first["formula"], sections=sections)

    def _tiles(self, figure: Row, communes: Mapping[str, Row]) -> dict[str, Any]:
        grid = self.grid
        known = sorted(float(u["value"]) for u in communes.values() if u["value"] is not None)
        bounds = [known[len(known) * n // 5] for n in range(1, 5)] if known else []
        rows: list[list[Any]] = [
            [None] * (1 + max(c for _, c in grid.values())) for _ in range(1 + max(r for r, _ in grid.values()))
        ]
        for code, (r, c) in grid.items():
            unit = communes.get(code)
            value = unit["value"] if unit else None
            place = "none-known" if value is None else f"q{sum(float(value) >= b for b in bounds)}"
            name = unit["unit_name"] if unit else self.names.get(code, code)
            rows[r][c] = {"class": place, "value": "?" if value is None else written_number(value), "name": name}
        caption = (
            f"Mỗi ô là một xã, phường, đặc khu, xếp theo vị trí từ bắc xuống nam và từ tây sang đông; {figure['measured_in']}. "
            "Màu càng đậm giá trị càng lớn; ô gạch chéo là chưa có số liệu."
        )
        return {"caption": caption, "rows": rows}

    def _lists(self) -> None:
        head = ["Danh sách", "Số việc"]
        rows = [[_Cell(said("list", name)), _number(n)] for name, n in self.board.waiting.items()]
        lead = ["Không có việc nào đang chờ."] if not rows else []
        table = self._table("Việc đang chờ xử lý", head, rows, "csv/viec.csv", numbers=(1,)) if rows else None
        self._page(
            "worklists.html",
            "Việc đang chờ",
            lead=lead,
            sections=[_Section("Theo danh sách", table=table)] if table else [],
        )

    def _table(
        self, caption: str, head: Sequence[str], rows: list[list[_Cell]], path: str, numbers: Iterable[int] = ()
    ) -> _Table | None:
        if not rows:
            return None
        places = set(numbers)
        self.files[path] = csv_bytes(
            [head, *([c.text if c.raw is None and not c.status else c.raw for c in row] for row in rows)]
        )
        if len(rows) > _MOST:
            caption = f"{caption} (hiện {_MOST} trong {written_number(len(rows))} dòng; tệp CSV có đủ)"
        return _Table(caption, [_Head(h, n in places) for n, h in enumerate(head)], rows[:_MOST], path)

    def _picture(self, draw: Callable[[], bytes], of: Any, alt: str, caption: str) -> dict[str, str]:
        mark = hashlib.sha256(repr((of, _DRAWING)).encode()).hexdigest()[:16]
        path = f"pictures/{mark}.svg"
        self.files[path] = draw
        return {"file": path, "alt": alt, "caption": caption}

    # ----------------------------------------------------------------------------------------------------- the folder

    def write(self, progress: Callable[[int, int], None]) -> Built:
        """Write what differs; pages after what they show, the first page last."""
        built = Built(self.folder, self.board.publish)
        order = sorted(self.files, key=lambda p: (p.endswith(".html"), p == "index.html", p))
        for number, path in enumerate(order, 1):
            target, content = self.folder / path, self.files[path]
            if callable(content):
                if target.exists():  # named after what it shows
                    built.same += 1
                    continue
                content = content()
                built.drawn += 1
            if target.exists() and target.read_bytes() == content:
                built.same += 1
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f".{target.name}.{os.getpid()}")
                temporary.write_bytes(content)
                temporary.replace(target)
                built.written += 1
            progress(number, len(order))
        for old in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            if old.relative_to(self.folder).as_posix() not in self.files:
                old.unlink()
                built.removed += 1
        return built


_DRAWING = hashlib.sha256(Path(pictures.__file__).read_bytes()).hexdigest()
"""Pictures drawn by another version of the drawing are drawn again."""


def _grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def _quarter(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _in_time(row: Row) -> bool:
    return bool(row["received_at"]) and local_day(row["received_at"]) <= row["due_on"]


def _state(rows: Sequence[Row]) -> dict[str, Any] | None:
    if not rows:
        return None
    code = min((r["state"] for r in rows), key=_WORST.index)
    good = sum(r["state"] in ("DAT", "DAT_MOT_PHAN") for r in rows)
    more = "; ".join(f" {r['period']}" for r in rows if r["state"] == code)
    count = f"{good}/{len(rows)}" if len(rows) > 1 else ""
    return {"code": code, "sign": _SIGNS[code], "name": said("log_state", code), "more": f":{more}", "count": count}


def _key(figure: Row) -> tuple[str, str]:
    return figure["indicator"], figure["variant"]


def _named(figure: Row) -> str:
    return f"{figure['indicator']} {figure['name_vi']}"


def _file(code: str, variant: str) -> str:
    return "_".join(filter(None, (code, "".join(ch if ch.isalnum() else "_" for ch in variant))))


def _number(value: Decimal | int | None) -> _Cell:
    """A number as it is written in Vietnam."""
    return _Cell("" if value is None else written_number(value), raw=value)


def _day(day: date | None) -> _Cell:
    return _Cell("" if day is None else written_day(day), raw=day)


def _measured(value: Row) -> list[_Cell]:
    """The figures of a value, and what they come to."""
    figures = [_number(value[k]) for k in ("value", "numerator", "denominator", "unknown", "target")]
    return [*figures, _told("status", value["status"])]


def _told(context: str, key: str) -> _Cell:
    """A state in words, with its sign's colour."""
    return _Cell(said(context, key), status=key, raw=key)


def _short(text: str, most: int = 120) -> str:
    """A text of a sender's that fits: nothing that turns the reading direction, and not without end."""
    plain = "".join(ch for ch in text if ch.isprintable())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
