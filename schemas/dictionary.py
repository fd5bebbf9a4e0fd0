"""The data dictionary: what every dataset and column means, in the words of those who fill the forms in.

Here: contracts -> blocks (headings, facts, tables) in Vietnamese or English -> Markdown or a web page, for people; and -> plain
rows for machines (the dictionary that NĐ 278/2025 asks of whoever connects). Not here: any fact that is not in a contract;
what an indicator is called and what a rule across datasets looks for are handed in by those who know. English comes from
names and arguments: contracts are written in the language of the forms.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from .contract import AcrossRule, Column, Contract, Rule
from .tables import is_personal

Language = Literal["vi", "en"]
Form = Literal["markdown", "html"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
FORMS: tuple[Form, ...] = ("markdown", "html")

Indicators = Mapping[str, tuple[str, str]]
"""Code -> Vietnamese and English name."""
Across = Mapping[str, str]
"""Kind of a rule across datasets -> what it looks for, in English."""


@dataclass(frozen=True)
class Heading:
    """A title; ``anchor`` is what links point to."""

    level: int
    text: str
    anchor: str = ""


@dataclass(frozen=True)
class Facts:
    """Names with what is said under them; those of which nothing is said are left out."""

    said: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows under a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Facts | Table | str
"""A part of the dictionary; a text is a paragraph. Code stands between backticks in all of them."""

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "vi": {
        "title": "Từ điển dữ liệu", "columns": "Các cột", "lists": "Danh mục", "rules": "Quy tắc", "datasets": "Các bộ dữ liệu",
        "headers": "Tiêu đề cột nhận ra được", "indicators": "Chỉ tiêu",
        "compared": "Không phân biệt chữ hoa, chữ thường, dấu tiếng Việt và dấu câu.",
        "column": "Cột", "name": "Tên", "kind": "Kiểu", "unit": "Đơn vị tính", "required": "Bắt buộc", "class": "Mức nhạy cảm",
        "remarks": "Giải thích", "code": "Mã", "spellings": "Cách ghi khác được hiểu", "header": "Tiêu đề", "rule": "Quy tắc",
        "severity": "Mức", "content": "Nội dung", "remedy": "Cách sửa", "dataset": "Bộ dữ liệu", "reads": "Cột được dùng",
        "version": "Phiên bản", "owner": "Cơ quan chủ trì", "form": "Biểu mẫu", "senders": "Đơn vị gửi", "period": "Kỳ gửi",
        "delivery": "Cách gửi", "scope": "Phạm vi", "key": "Khóa", "precedence": "Thứ tự ưu tiên khi nhiều đơn vị cùng báo",
        "sharing": "Lớp chia sẻ", "retention": "Thời gian lưu", "tables": "Bảng công bố", "years": "{} năm",
        "due": "; hạn nộp: ngày {:02} sau kỳ", "due_months": "; hạn nộp: ngày {:02} của tháng thứ {} sau kỳ",
        "due_before": "; {}: trước khi kỳ bắt đầu", "due_next": ", nếu là ngày nghỉ thì ngày làm việc kế tiếp",
        "due_previous": ", nếu là ngày nghỉ thì ngày làm việc liền trước", "due_none": ", kể cả ngày nghỉ",
        "closed": "; chốt số liệu: hết {} ngày làm việc sau hạn nộp",
        "must": "Đơn vị phải gửi", "is_key": "khóa", "yes": "có", "no": "không",
        "from_sender": "Bỏ trống thì lấy theo đơn vị gửi.", "from_as_of": "Bỏ trống thì lấy ngày số liệu.",
        "from_year": "Bỏ trống thì lấy năm của kỳ.", "survives": "Nhiều đơn vị cùng báo thì lấy {}{}.",
        "together": "Luôn lấy từ cùng một dòng với: {}.", "together_many": "Luôn lấy từ cùng một dòng với {} cột khác.",
        "use": "Dùng làm {}.", "purpose": "Mục đích: {} ({}).", "reads_cells": "lấy từ cột {}",
        "points": "Phải có trong `{}`.",
    },
    "en": {
        "title": "Data dictionary", "columns": "Columns", "lists": "Code lists", "rules": "Rules", "datasets": "Datasets",
        "headers": "Headers that are understood", "indicators": "Indicators",
        "compared": "Compared without accents, case and punctuation.",
        "column": "Column", "name": "Name", "kind": "Type", "unit": "Unit", "required": "Required", "class": "Sensitivity",
        "remarks": "Remarks", "code": "Code", "spellings": "Other spellings", "header": "Headers", "rule": "Rule",
        "severity": "Severity", "content": "What must hold", "remedy": "What the sender is told", "dataset": "Dataset",
        "reads": "Columns that it reads", "version": "Version", "owner": "Owner", "form": "Form", "senders": "Sent by",
        "period": "Period", "delivery": "Delivery", "scope": "Scope", "key": "Key",
        "precedence": "Order where several senders say something", "sharing": "Sharing class", "retention": "Kept for",
        "tables": "Published as", "years": "{} years", "due": "; due on day {} after the period",
        "due_months": "; due on day {} of the month {} months after the period", "due_before": "; {}: before the period begins",
        "due_next": ", or the next working day", "due_previous": ", or the working day before",
        "due_none": ", whatever day that is", "closed": "; closed {} working days after that",
        "must": "Must be sent by",
        "is_key": "key", "yes": "yes",
        "no": "no", "from_sender": "Blank: the sender's own.", "from_as_of": "Blank: the as-of date.",
        "from_year": "Blank: the year of the period.", "survives": "Of several senders: {}{}.",
        "together": "Always from one row with: {}.", "together_many": "Always from one row with {} other columns.",
        "use": "Used as {}.", "purpose": "Purpose: {} ({}).", "reads_cells": "reads the column {}",
        "points": "Must be in `{}`.",
    },
}  # fmt: skip
_VALUES: Mapping[Language, Mapping[str, Mapping[str, str]]] = {
    "vi": {
        "delivery": {
            "snapshot": "danh sách đầy đủ của đơn vị gửi; dòng không còn trong danh sách là đã kết thúc",
            "increment": "các dòng mới hoặc thay đổi; dòng không gửi lại thì giữ nguyên",
            "events": "các sự kiện; mỗi dòng tự mang thời gian hiệu lực",
            "facts": "số liệu theo khóa và kỳ; lần gửi sau cùng kỳ thay cho lần trước",
        },
        "scope": {
            "ownCommune": "chỉ nhận dòng thuộc địa bàn của đơn vị gửi",
            "ownOrganisation": "chỉ nhận dòng của chính cơ quan gửi",
            "all": "nhận mọi dòng",
        },
        "period": {"month": "hằng tháng", "quarter": "hằng quý", "half": "6 tháng một lần", "year": "hằng năm"},
        "calendar": {"civil": "theo lịch", "reporting": "theo kỳ báo cáo của NĐ 09/2019"},
        "senders": {"communes": "mọi xã, phường, đặc khu", "departments": "mọi sở, ban, ngành", "any": "mọi đơn vị"},
        "kind": {
            "text": "văn bản", "name": "tên gọi", "person_name": "họ và tên", "citizen_id": "số định danh cá nhân",
            "tax_code": "mã số thuế", "phone": "số điện thoại", "agency_id": "mã định danh điện tử của cơ quan", "code": "mã",
            "commune_code": "mã hoặc tên đơn vị hành chính cấp xã", "province_code": "mã hoặc tên tỉnh", "integer": "số nguyên",
            "decimal": "số thập phân", "money": "số tiền (đồng)", "percent": "tỷ lệ phần trăm", "date": "ngày",
            "datetime": "thời điểm", "boolean": "đánh dấu có/không", "category": "danh mục", "names": "nhiều tên gọi",
        },
        "survivorship": {
            "precedence": "đơn vị được ưu tiên",
            "latest": "số liệu có ngày chốt muộn nhất",
            "majority": "giá trị được nhiều đơn vị báo nhất",
        },
        "class": {"P0": "P0 mở", "P1": "P1 nội bộ", "P2": "P2 cá nhân", "P3": "P3 cá nhân nhạy cảm"},
        "severity": {"error": "Lỗi (dòng bị giữ lại)", "warning": "Cảnh báo"},
        "use": {"LABEL": "tên gọi, mô tả", "EVIDENCE": "căn cứ của dòng", "REFERENCE": "số liệu đối chiếu danh mục"},
        "sharing": {"DUNG_CHUNG": "dùng chung", "DUNG_RIENG": "dùng riêng", "MO": "mở"},
    },
    "en": {
        "delivery": {
            "snapshot": "the full list of the sender: what is no longer in it has ended",
            "increment": "new or changed rows; others stay",
            "events": "events that carry their own validity",
            "facts": "one value per key and period; a later delivery of the period replaces",
        },
        "scope": {
            "ownCommune": "rows of the sender's own commune only",
            "ownOrganisation": "rows of the sender itself only",
            "all": "all rows",
        },
        "period": {"month": "monthly", "quarter": "quarterly", "half": "half-yearly", "year": "yearly"},
        "calendar": {"civil": "civil calendar", "reporting": "reporting months of NĐ 09/2019"},
        "senders": {"communes": "all communes", "departments": "all departments", "any": "anybody"},
        "kind": {},
        "survivorship": {"precedence": "the preferred one", "latest": "the latest", "majority": "what most say"},
        "class": {"P0": "P0 open", "P1": "P1 internal", "P2": "P2 personal", "P3": "P3 sensitive"},
        "severity": {"error": "error (quarantines)", "warning": "warning"},
        "use": {"LABEL": "a name or description", "EVIDENCE": "evidence of the row", "REFERENCE": "reference"},
        "sharing": {"DUNG_CHUNG": "shared", "DUNG_RIENG": "restricted", "MO": "open"},
    },
}  # fmt: skip


_NAMED = 4
"""Columns of a group of survivorship that are named one by one."""


def dictionary(
    contracts: Iterable[Contract],
    language: Language = "vi",
    form: Form = "markdown",
    *,
    indicators: Indicators | None = None,
    across: Across | None = None,
) -> str:
    """The dictionary in a language and form: one chapter per dataset, in alphabetical order, then the indicators."""
    made = _Made(language, sorted(contracts, key=lambda c: c.dataset), indicators or {}, across or {})
    return _FORMS[form](made.blocks(), language)


def dictionary_rows(contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """The dictionary as one row per column, ready for JSON; datasets in alphabetical order, columns in their own."""
    return [_row(c, column) for c in sorted(contracts, key=lambda c: c.dataset) for column in c.columns]


def _row(contract: Contract, column: Column) -> dict[str, Any]:
    told = [(r.id, r.severity, r.message, r.remedy) for r in contract.rules if column.name in r.columns]
    across = [(a.id, "warning", a.message, a.remedy) for a in contract.across if column.name == a.column]
    said = ("id", "severity", "message", "remedy")
    return {
        "dataset": contract.dataset,
        "dataset_label": contract.title,
        "version": contract.version,
        "owner": contract.owner,
        "senders": list(contract.senders),
        "period_type": contract.period_type,
        "due_from": list(contract.due_from),
        "due_day": contract.due_day,
        "due_months": contract.due_months,
        "due_shift": contract.due_shift,
        "close_after": contract.close_after,
        "due_before": contract.due_before,
        "column": column.name,
        "label": column.label,
        "description": column.description,
        "logical_type": column.logical_type,
        "semantic_type": column.semantic_type,
        "unit": column.unit,
        "required": column.required,
        "key_position": column.key_position,
        "default_from": column.default_from,
        "source_column": column.options.get("sameAs"),
        "code_list": [{"value": v.value, "label": v.label, "synonyms": list(v.synonyms)} for v in column.enum],
        "references": column.references,
        "survivorship": column.survivorship,
        "precedence": list(column.precedence or contract.precedence),
        "survives_with": _survives_with(contract, column),
        "classification": column.classification,
        "purpose": column.purpose,
        "legal_ground": column.legal_ground,
        "indicators": list(column.indicators),
        "use": column.use,
        "headers": list(column.synonyms),
        "rules": [dict(zip(said, one, strict=True)) for one in told],
        "rules_across_datasets": [dict(zip(said, one, strict=True)) for one in across],
    }


def _survives_with(contract: Contract, column: Column) -> list[str]:
    """The other columns of its group of survivorship."""
    return [n for group in contract.survivorship_groups if column.name in group for n in group if n != column.name]


def in_words(name: str) -> str:
    """The English of a name in snake_case: 'received_online' -> 'Received online'."""
    return name.replace("_", " ").capitalize()


class _Made:
    """The dictionary being made: what it says, in one language."""

    def __init__(
        self, language: Language, contracts: Sequence[Contract], indicators: Indicators, across: Across
    ) -> None:
        self.language, self.contracts, self.indicators, self.across = language, contracts, indicators, across
        self.words, self.values = _WORDS[language], _VALUES[language]

    def blocks(self) -> list[Block]:
        """Everything, in order."""
        w = self.words
        overview = [[f"`{c.dataset}`", self.title(c), c.owner] for c in self.contracts]
        found: list[Block] = [Heading(1, w["title"]), Heading(2, w["datasets"], "datasets")]
        found.append(Table([w["dataset"], w["name"], w["owner"]], overview))
        for contract in self.contracts:
            found += self.chapter(contract)
        return found + self.of_indicators()

    def title(self, contract: Contract) -> str:
        """What a dataset is called: in English the words of its name beside the title of the form."""
        return contract.title if self.language == "vi" else f"{in_words(contract.dataset)} ({contract.title})"

    def label(self, column: Column) -> str:
        """What a column is called."""
        return column.label if self.language == "vi" else f"{in_words(column.name)} ({column.label})"

    def value(self, of: str, value: str) -> str:
        """A word of a contract in words."""
        return self.values[of].get(value, value.replace("_", " ") if of == "kind" else value)

    def who(self, senders: Sequence[str]) -> str:
        """Senders in words."""
        return "; ".join(self.value("senders", s) for s in senders)

    def chapter(self, contract: Contract) -> list[Block]:
        """A dataset: facts, columns, code lists, headers, rules."""
        w = self.words
        found: list[Block] = [Heading(2, f"{self.title(contract)} (`{contract.dataset}`)", contract.dataset)]
        found += [contract.description, Facts(self.facts(contract)), Heading(3, w["columns"])]
        header = [w[k] for k in ("column", "name", "kind", "unit", "required", "class", "remarks", "indicators")]
        found.append(Table(header, [self.column(contract, c) for c in contract.columns]))
        if any(c.enum for c in contract.columns):
            rows = [
                [f"`{c.name}`", f"`{v.value}`", v.label, "; ".join(v.synonyms)]
                for c in contract.columns
                for v in c.enum
            ]
            found += [Heading(3, w["lists"]), Table([w[k] for k in ("column", "code", "name", "spellings")], rows)]
        spelt = [[f"`{c.name}`", self.headers(contract, c)] for c in contract.columns]
        found += [Heading(3, w["headers"]), w["compared"], Table([w["column"], w["header"]], spelt)]
        if contract.rules or contract.across:
            header = [w[k] for k in ("rule", "severity", "content", "remedy")]
            rows = [[f"`{r.id}`", self.value("severity", r.severity), *self.rule(r)] for r in contract.rules]
            rows += [[f"`{a.id}`", self.value("severity", "warning"), *self.rule(a)] for a in contract.across]
            found += [Heading(3, w["rules"]), Table(header, rows)]
        return found

    def facts(self, contract: Contract) -> list[tuple[str, str]]:
        """What holds for the dataset as a whole."""
        w = self.words
        when = f"{self.value('period', contract.period_type)}, {self.value('calendar', contract.calendar)}"
        if contract.due_day is not None:
            when += w["due_months" if contract.due_months else "due"].format(contract.due_day, contract.due_months)
            when += w[f"due_{contract.due_shift}"]
            if contract.close_after is not None:
                when += w["closed"].format(contract.close_after)
        if contract.due_before is not None:
            when += w["due_before"].format(" ".join(contract.due_before))
        views = [f"mart_v1.{contract.dataset}", f"mart_v1.{contract.dataset}_history"]
        views += [f"mart_v1.{contract.dataset}_masked"] if is_personal(contract) else []
        facts = [
            ("version", contract.version),
            ("owner", contract.owner),
            ("form", contract.form_name),
            ("senders", self.who(contract.senders)),
            ("must", self.who(contract.due_from) if contract.due_from != contract.senders else ""),
            ("period", when),
            ("delivery", self.value("delivery", contract.delivery)),
            ("scope", self.value("scope", contract.sender_scope)),
            ("key", ", ".join(f"{self.label(contract.column(name))} (`{name}`)" for name in contract.key)),
            ("precedence", " > ".join(contract.precedence)),
            ("tables", ", ".join(f"`{view}`" for view in views)),
            ("sharing", self.value("sharing", contract.sharing_class)),
            ("retention", w["years"].format(contract.retention_years) if contract.retention_years is not None else ""),
        ]
        return [(w[name], text) for name, text in facts if text]

    def column(self, contract: Contract, column: Column) -> list[str]:
        """The row of a column."""
        w = self.words
        required = w["is_key"] if column.key_position is not None else w["yes"] if column.required else w["no"]
        notes = [column.description] if column.description else []
        if column.default_from == "sender":
            notes.append(w["from_sender"])
        elif column.default_from == "asOf":
            notes.append(w["from_year"] if column.logical_type == "integer" else w["from_as_of"])
        if column.references and not column.references.startswith(contract.dataset + "."):
            notes.append(w["points"].format(column.references))
        if column.survivorship != "precedence" or column.precedence:
            order = f" ({' > '.join(column.precedence)})" if column.precedence else ""
            notes.append(w["survives"].format(self.value("survivorship", column.survivorship), order))
        together = _survives_with(contract, column)
        if len(together) > _NAMED:
            notes.append(w["together_many"].format(len(together)))
        elif together:
            notes.append(w["together"].format(", ".join(self.label(contract.column(name)) for name in together)))
        if column.use:
            notes.append(w["use"].format(self.value("use", column.use)))
        if column.purpose:
            notes.append(w["purpose"].format(column.purpose, column.legal_ground))
        kind = self.value("kind", column.semantic_type)
        return [
            f"`{column.name}`", self.label(column), kind, column.unit or "", required,
            self.value("class", column.classification), " ".join(notes), ", ".join(column.indicators),
        ]  # fmt: skip

    def headers(self, contract: Contract, column: Column) -> str:
        """The headers that a column answers to."""
        source = column.options.get("sameAs")
        if source is not None:
            return self.words["reads_cells"].format(self.label(contract.column(source)))
        return "; ".join(column.synonyms)

    def rule(self, rule: Rule | AcrossRule) -> tuple[str, str]:
        """(what must hold, what to do): the sender's words; in English what the rule compares, and the sender's words."""
        if self.language == "vi":
            return rule.message, rule.remedy
        said = self.across.get(rule.kind, in_words(rule.kind)) if isinstance(rule, AcrossRule) else _formula(rule)
        return said, rule.message

    def of_indicators(self) -> list[Block]:
        """Each indicator with the columns that it reads."""
        w = self.words
        reads = sorted(
            (code, c.dataset, column.name) for c in self.contracts for column in c.columns for code in column.indicators
        )
        columns: dict[str, list[str]] = {code: [] for code in sorted(self.indicators)}
        for code, found in groupby(reads, key=lambda r: r[0]):
            columns[code] = [f"`{dataset}.{name}`" for _, dataset, name in found]
        if not columns:
            return []
        named = {code: names[LANGUAGES.index(self.language)] for code, names in self.indicators.items()}
        rows = [[code, named.get(code, ""), ", ".join(columns[code])] for code in sorted(columns)]
        return [Heading(2, w["indicators"], "indicators"), Table([w[k] for k in ("code", "name", "reads")], rows)]


def _formula(rule: Rule) -> str:
    """What a rule of a row compares, in English."""
    names = [f"`{c}`" for c in rule.columns]
    kwargs = rule.kwargs
    left = kwargs.get("left", 1)
    most = [f"at least {kwargs['min_value']}"] if "min_value" in kwargs else []
    most += [f"at most {kwargs['max_value']}"] if "max_value" in kwargs else []
    within = f" (± {kwargs['tolerance']})" if kwargs.get("tolerance") else ""
    sums = " + ".join(names[:left]), " + ".join(names[left:])
    texts = {
        "expect_column_values_to_not_be_null": f"{names[0]} is given",
        "expect_column_values_to_be_null": f"{names[0]} is empty",
        "expect_column_values_to_be_in_set": f"{names[0]} is one of {_listed(kwargs.get('value_set'))}",
        "expect_column_values_to_not_be_in_set": f"{names[0]} is none of {_listed(kwargs.get('value_set'))}",
        "expect_column_values_to_be_between": f"{names[0]} is {' and '.join(most)}",
        "expect_column_value_lengths_to_be_between": f"the length of {names[0]} is {' and '.join(most)}",
        "expect_column_pair_values_a_to_be_greater_than_b": f" {'≥' if kwargs.get('or_equal') else '>'} ".join(names),
        "expect_column_pair_values_to_be_equal": " = ".join(names),
        "expect_row_sums_to_be_equal": f"{sums[0]} = {sums[1]}{within}",
        "expect_row_sum_to_be_at_most": f"{sums[0]} ≤ {sums[1]}{within}",
    }
    said = texts.get(rule.kind, f"{in_words(rule.kind.removeprefix('expect_'))}: {', '.join(names)}")
    when = " and ".join(f"`{c}` is {_listed(v)}" for c, v in kwargs.get("when", {}).items())
    return said + (f", where {when}" if when else "")


def _listed(values: Any) -> str:
    return ", ".join(map(str, values)) if isinstance(values, (list, tuple)) else str(values)


# --- forms ----------------------------------------------------------------------------------------------------------


def _markdown(blocks: Sequence[Block], language: Language) -> str:
    parts = []
    for block in blocks:
        match block:
            case Heading(level, text):
                parts.append("#" * level + " " + text)
            case Facts(said):
                parts.append("\n".join(f"- **{name}**: {text}" for name, text in said))
            case Table(header, rows):
                lines = [header, ["---"] * len(header), *rows]
                parts.append("\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines))
            case str():
                parts.append(block)
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:80rem;padding:1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;display:block;overflow-x:auto;margin:.5rem 0 1.5rem}"
    "th,td{border:1px solid #c9c9c9;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#f1f1f1}"
    "code{font:13px/1.4 ui-monospace,monospace;background:#f5f5f5}h2{border-top:2px solid #888;padding-top:1rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0}"
)


def _page(blocks: Sequence[Block], language: Language) -> str:
    title = next(b.text for b in blocks if isinstance(b, Heading))
    anchors = {b.anchor for b in blocks if isinstance(b, Heading) and b.anchor}

    def inline(text: str) -> str:
        """Text, escaped; what stands between backticks as code, and as a link where it is, or is of, a dataset."""

        def code(found: re.Match[str]) -> str:
            target = found[1].partition(".")[0]
            shown = f"<code>{found[1]}</code>"
            return f'<a href="#{target}">{shown}</a>' if target in anchors else shown

        return re.sub(r"`([^`]*)`", code, html.escape(text))

    def cells(tag: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{inline(text)}</{tag}>" for text in texts) + "</tr>"

    body = []
    for block in blocks:
        match block:
            case Heading(level, text, anchor):
                named = f' id="{anchor}"' if anchor else ""
                body.append(f"<h{level}{named}>{inline(text)}</h{level}>")
            case Facts(said):
                body.append("<dl>" + "".join(f"<dt>{inline(n)}</dt><dd>{inline(t)}</dd>" for n, t in said) + "</dl>")
            case Table(header, rows):
                lines = "\n".join(cells("td", row) for row in rows)
                body.append(f"<table><thead>{cells('th', header)}</thead><tbody>\n{lines}\n</tbody></table>")
            case str():
                body.append(f"<p>{inline(block)}</p>")
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


_FORMS = {"markdown": _markdown, "html": _page}
