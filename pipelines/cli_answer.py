"""The answer to a submission as an officer reads it: in Vietnamese, cell by cell.

Here: the layout that ``lienthong check`` and ``lienthong show`` share. What is said: :mod:`assets.returns.answers`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.contract import Contract
from schemas.messages import Words, text

from .cli_output import Screen

_VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
_ROWS = 50
"""Rows of a table on the screen; ``--json`` has all."""


def show_answer(
    screen: Screen,
    answer: Mapping[str, Any],
    contracts: Mapping[str, Contract],
    senders: Mapping[str, str],
    *,
    sent: bool = True,
) -> None:
    """Print an answer. ``sent``: it is one of the ledger, with an id and a time of receipt; else only a check."""
    contract = contracts.get(answer["dataset"] or "")
    screen.say(f"{answer['state_label']}: {answer['file']}", style="bold")
    for name, fact in _facts(answer, contract, senders, sent):
        screen.say(f"  {name:<12} {fact}")
    if answer["problems"]:
        rows = [[text("severity", p["severity"]), p["code"], p["message"], p["remedy"]] for p in answer["problems"]]
        screen.table(["Mức", "!Mã", "Nội dung", "Cách sửa"], rows, title="Về cả tệp")
    if answer["rows"]:
        many = len({r["sheet"] for r in answer["rows"]}) > 1
        rows = [
            [
                f"{r['sheet']}!{r['address']}" if many else r["address"],
                "Đã bỏ qua" if r["waived"] else text("severity", r["severity"]),
                *(r[part] for part in ("rule", "value", "message", "remedy")),
            ]
            for r in answer["rows"][:_ROWS]
        ]
        screen.table(["!Ô", "!Mức", "Mã", "Giá trị", "Nội dung", "Cách sửa"], rows, title="Ô cần sửa")
        _rest(screen, len(answer["rows"]))
    if answer["repairs"]:
        found = Counter((r["column"], r["rule"]) for r in answer["repairs"])
        shown = [[column, rule, n] for (column, rule), n in sorted(found.items())]
        screen.table(["Cột", "Cách đọc", ">Số ô"], shown, title="Đã tự chuẩn hóa (giữ nguyên bản gốc)")


def _facts(
    answer: Mapping[str, Any], contract: Contract | None, senders: Mapping[str, str], sent: bool
) -> list[tuple[str, str]]:
    counts = answer["counts"]
    aside = ", ".join(f"{text('aside', reason)} {n}" for reason, n in sorted(answer["set_aside"].items()))
    parts = (("nhận", "accepted"), ("giữ lại", "quarantined"), ("để ngoài", "set_aside"))
    rows = f"đọc {counts['read']} = " + " + ".join(f"{word} {counts[part]}" for word, part in parts)
    facts = [
        ("Bộ dữ liệu", f"{contract.title} ({contract.dataset})" if contract else answer["dataset"] or "không nhận ra"),
        ("Đơn vị gửi", f"{answer['sender']} {senders.get(answer['sender'], '')}".rstrip()),
        ("Kỳ", answer["period"] or ""),
    ]
    if answer["as_of"]:
        facts.append(
            ("Số liệu đến", f"{_day(answer['as_of'])} ({text('as_of', answer['as_of_source'] or 'correction')})")
        )
    facts.append(("Số dòng", rows + (f" ({aside})" if aside else "")))
    if counts["flagged"]:
        facts.append(("Cảnh báo", f"{counts['flagged']} dòng được nhận kèm cảnh báo"))
    if sent:
        received = datetime.fromisoformat(answer["received_at"]).astimezone(_VIETNAM)
        facts.insert(0, ("Bản nộp", f"{answer['submission_id']} ({answer['state']})"))
        facts.append(("Nhận lúc", f"{received:%d/%m/%Y %H:%M}"))
        facts.append(("Nguồn", f"{answer['origin']} ({answer['size']} byte, SHA-256 {answer['sha256'][:12]}…)"))
        if gone := answer["destroyed"]:
            facts.append(("Bản lưu", f"đã hủy ngày {gone['at']}: {gone['why']}"))
        if answer["predecessor"]:
            facts.append(("So với", answer["predecessor"]))
    return facts


def show_not_checked(screen: Screen, rules: list[dict[str, str]]) -> None:
    """Print the rules that a check of one file cannot judge."""
    screen.table(
        ["!Quy tắc", "Nội dung"],
        [[r["rule"], r["message"]] for r in rules],
        title="Chưa kiểm tra (quy tắc giữa các tệp)",
    )


def not_checked(contract: Contract | None) -> list[dict[str, str]]:
    """The rules across files of a dataset, as not checked: [{rule, status 'not_checked', message}]."""
    rules = [("other_files", text("answer", "other_files"))]
    for column in contract.columns if contract else ():
        dataset = (column.references or "").split(".")[0]
        if dataset and dataset not in ("units", "senders"):
            told = text("answer", "references", label=column.label, dataset=dataset)
            rules.append((f"{column.name}_references", told))
    rules += [(rule.id, rule.remedy.format_map(Words(address=""))) for rule in (contract.across if contract else ())]
    return [{"rule": rule, "status": "not_checked", "message": message} for rule, message in rules]


def _rest(screen: Screen, total: int) -> None:
    if total > _ROWS:
        screen.say(f"  … và {total - _ROWS} dòng nữa; xem tất cả với --json")


def _day(text: str) -> str:
    return "/".join(reversed(text.split("-")))
