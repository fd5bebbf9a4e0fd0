"""The data dictionary: what every dataset and column means, in the words of those who fill the forms in.

Here: contracts -> Markdown (Vietnamese, for people) and -> plain rows (for machines: the dictionary that NĐ 278/2025
asks of whoever connects). Not here: any fact that is not in a contract.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .contract import Column, Contract

_DELIVERY = {
    "snapshot": "danh sách đầy đủ của đơn vị gửi; dòng không còn trong danh sách là đã kết thúc",
    "increment": "các dòng mới hoặc thay đổi; dòng không gửi lại thì giữ nguyên",
    "events": "các sự kiện; mỗi dòng tự mang thời gian hiệu lực",
    "facts": "số liệu theo khóa và kỳ; lần gửi sau cùng kỳ thay cho lần trước",
}
_SENDER_SCOPE = {
    "ownCommune": "chỉ nhận dòng thuộc địa bàn của đơn vị gửi",
    "ownOrganisation": "chỉ nhận dòng của chính cơ quan gửi",
    "all": "nhận mọi dòng",
}
_PERIOD = {"month": "hằng tháng", "quarter": "hằng quý", "half": "6 tháng một lần", "year": "hằng năm"}
_CALENDAR = {"civil": "theo lịch", "reporting": "theo kỳ báo cáo của NĐ 09/2019"}
_SENDERS = {
    "communes": "mọi xã, phường, đặc khu",
    "departments": "mọi sở, ban, ngành",
    "any": "mọi đơn vị",
}
_TYPES = {
    "text": "văn bản",
    "name": "tên gọi",
    "person_name": "họ và tên",
    "citizen_id": "số định danh cá nhân",
    "tax_code": "mã số thuế",
    "phone": "số điện thoại",
    "agency_id": "mã định danh điện tử của cơ quan",
    "code": "mã",
    "commune_code": "mã hoặc tên đơn vị hành chính cấp xã",
    "province_code": "mã hoặc tên tỉnh",
    "integer": "số nguyên",
    "decimal": "số thập phân",
    "money": "số tiền (đồng)",
    "percent": "tỷ lệ phần trăm",
    "date": "ngày",
    "datetime": "thời điểm",
    "boolean": "đánh dấu có/không",
    "category": "danh mục",
}
_SURVIVORSHIP = {
    "precedence": "đơn vị được ưu tiên",
    "latest": "số liệu có ngày chốt muộn nhất",
    "majority": "giá trị được nhiều đơn vị báo nhất",
}
_CLASSES = {"P0": "P0 mở", "P1": "P1 nội bộ", "P2": "P2 cá nhân", "P3": "P3 cá nhân nhạy cảm"}
_SEVERITY = {"error": "Lỗi (dòng bị giữ lại)", "warning": "Cảnh báo"}
_SHARING = {"DUNG_CHUNG": "dùng chung", "DUNG_RIENG": "dùng riêng", "MO": "mở"}


def dictionary(contracts: Iterable[Contract]) -> str:
    """The dictionary as Markdown: one chapter per dataset, in alphabetical order of the datasets."""
    chapters = [_chapter(c) for c in sorted(contracts, key=lambda c: c.dataset)]
    return "\n\n".join(["# Từ điển dữ liệu", *chapters]) + "\n"


def dictionary_rows(contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """The dictionary as one row per column, ready for JSON; datasets in alphabetical order, columns in their own."""
    return [_row(c, column) for c in sorted(contracts, key=lambda c: c.dataset) for column in c.columns]


def _row(contract: Contract, column: Column) -> dict[str, Any]:
    return {
        "dataset": contract.dataset,
        "dataset_label": contract.title,
        "version": contract.version,
        "owner": contract.owner,
        "senders": list(contract.senders),
        "period_type": contract.period_type,
        "due_day": contract.due_day,
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
        "headers": list(column.synonyms),
        "rules": [
            {"id": r.id, "severity": r.severity, "message": r.message, "remedy": r.remedy}
            for r in contract.rules
            if column.name in r.columns
        ],
    }


def _chapter(contract: Contract) -> str:
    parts = [f"## {contract.title} (`{contract.dataset}`)", contract.description, _facts(contract)]
    parts.append("### Các cột")
    header = ["Cột", "Tên", "Kiểu", "Đơn vị tính", "Bắt buộc", "Mức nhạy cảm", "Giải thích"]
    parts.append(_table(header, [_column_cells(contract, c) for c in contract.columns]))
    lists = [c for c in contract.columns if c.enum]
    if lists:
        parts.append("### Danh mục")
        header = ["Cột", "Mã", "Tên", "Cách ghi khác được hiểu"]
        rows = [[f"`{c.name}`", f"`{v.value}`", v.label, "; ".join(v.synonyms)] for c in lists for v in c.enum]
        parts.append(_table(header, rows))
    parts.append("### Tiêu đề cột nhận ra được")
    parts.append("Không phân biệt chữ hoa, chữ thường, dấu tiếng Việt và dấu câu.")
    parts.append(_table(["Cột", "Tiêu đề"], [[f"`{c.name}`", _headers(contract, c)] for c in contract.columns]))
    if contract.rules:
        parts.append("### Quy tắc")
        header = ["Quy tắc", "Mức", "Nội dung", "Cách sửa"]
        rows = [[f"`{r.id}`", _SEVERITY[r.severity], r.message, r.remedy] for r in contract.rules]
        parts.append(_table(header, rows))
    return "\n\n".join(parts)


def _facts(contract: Contract) -> str:
    when = f"{_PERIOD[contract.period_type]}, {_CALENDAR[contract.calendar]}"
    if contract.due_day is not None:
        when += f"; hạn nộp: ngày {contract.due_day:02} sau kỳ"
    facts = [
        ("Phiên bản", contract.version),
        ("Cơ quan chủ trì", contract.owner),
        ("Biểu mẫu", contract.form_name),
        ("Đơn vị gửi", "; ".join(_SENDERS.get(s, s) for s in contract.senders)),
        ("Kỳ gửi", when),
        ("Cách gửi", _DELIVERY[contract.delivery]),
        ("Phạm vi", _SENDER_SCOPE[contract.sender_scope]),
        ("Khóa", ", ".join(f"{contract.column(name).label} (`{name}`)" for name in contract.key)),
        ("Thứ tự ưu tiên khi nhiều đơn vị cùng báo", " > ".join(contract.precedence)),
        ("Lớp chia sẻ", _SHARING.get(contract.sharing_class, "")),
        ("Thời gian lưu", f"{contract.retention_years} năm" if contract.retention_years is not None else ""),
    ]
    return "\n".join(f"- **{name}**: {text}" for name, text in facts if text)


def _column_cells(contract: Contract, column: Column) -> list[str]:
    required = "khóa" if column.key_position is not None else "có" if column.required else "không"
    notes = [column.description] if column.description else []
    if column.default_from == "sender":
        notes.append("Bỏ trống thì lấy theo đơn vị gửi.")
    elif column.default_from == "asOf":
        notes.append("Bỏ trống thì lấy ngày số liệu.")
    if column.survivorship != "precedence" or column.precedence:
        order = f" ({' > '.join(column.precedence)})" if column.precedence else ""
        notes.append(f"Nhiều đơn vị cùng báo thì lấy {_SURVIVORSHIP[column.survivorship]}{order}.")
    if together := _survives_with(contract, column):
        labels = ", ".join(contract.column(name).label for name in together)
        notes.append(f"Luôn lấy từ cùng một dòng với: {labels}.")
    if column.purpose:
        notes.append(f"Mục đích: {column.purpose} ({column.legal_ground}).")
    kind = _TYPES.get(column.semantic_type, column.semantic_type)
    return [f"`{column.name}`", column.label, kind, column.unit or "", required, _CLASSES[column.classification],
            " ".join(notes)]  # fmt: skip


def _survives_with(contract: Contract, column: Column) -> list[str]:
    """The other columns of its group of survivorship."""
    return [n for group in contract.survivorship_groups if column.name in group for n in group if n != column.name]


def _headers(contract: Contract, column: Column) -> str:
    source = column.options.get("sameAs")
    if source is not None:
        return f"lấy từ cột {contract.column(source).label}"
    return "; ".join(column.synonyms)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
