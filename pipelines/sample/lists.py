"""The lists in which the bodies of the invented province report, and what in them is wrong on purpose.

Belongs here: headers and words as senders write them, who sends which list when, rows that must be quarantined, and what each
delivery must be answered. Does not belong here: what is true (the other modules of this package).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from io import BytesIO
from pathlib import Path

import polars as pl

from .truth import BadRow, Delivered
from .workbook import write_table

_VIETNAM = timezone(timedelta(hours=7))

Bad = Sequence[tuple[Mapping[str, str | None], str]]
"""Rows that are wrong: the texts that replace those of a sound row, by header, and the code that it must get."""


@dataclass(frozen=True)
class Form:
    """How a dataset is written: a header for each column of the contract, and words in place of codes."""

    dataset: str
    title: str
    headers: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_BLOCS = {
    "DANG": "Đảng", "CHINH_QUYEN": "QLNN", "MTTQ": "Mặt trận", "TCCTXH": "TCCT-XH", "HOI_QC": "Hội quần chúng",
    "DVSNCL": "Đơn vị sự nghiệp",
}  # fmt: skip
_KINDS = {
    "SO": "Sở", "PHONG_SO": "Phòng của sở", "CHI_CUC": "Chi cục", "PHONG_CHI_CUC": "Phòng thuộc chi cục", "BAN_DANG": "Ban đảng",
    "PHONG_XA": "Phòng thuộc xã", "TT_PVHCC": "TT PVHCC", "DANG_UY_XA": "Đảng ủy xã", "HDND": "HĐND", "UBND": "UBND",
    "MTTQ": "UBMTTQ", "DVSN": "Đơn vị sự nghiệp", "KHAC": "Khác",
}  # fmt: skip
_FIELDS = {
    "CNTT_CDS": "CNTT", "KHCN": "Khoa học và công nghệ", "LUAT_TU_PHAP": "Luật", "TC_KE_TOAN": "Tài chính - Kế toán",
    "XAY_DUNG_DO_THI": "Xây dựng", "DAT_DAI_MT": "Đất đai", "Y_TE": "Y tế", "GIAO_DUC": "Giáo dục", "VH_XH": "Văn hóa - Xã hội",
    "NONG_NGHIEP": "Nông nghiệp", "HANH_CHINH": "Hành chính học", "KHAC": "Khác",
}  # fmt: skip
_LEVELS = {"TOAN_TRINH": "Toàn trình", "MOT_PHAN": "Một phần", "KHONG": "Không"}
_SEX = {"NAM": "Nam", "NU": "Nữ"}

FORMS = {
    form.dataset: form
    for form in (
        Form(
            "organizations", "DANH MỤC TỔ CHỨC",
            {
                "organization_code": "Mã tổ chức", "organization_name": "Tên tổ chức", "bloc": "Khối", "level": "Cấp",
                "organization_type": "Loại tổ chức", "parent_code": "Mã cấp trên", "commune_code": "Mã xã",
                "from_two_provinces": "Hợp nhất 2 tỉnh", "restructured_on": "Ngày QĐ sắp xếp", "predecessors": "Sáp nhập từ",
                "status": "Trạng thái", "effective_from": "Hiệu lực từ ngày",
            },
            {"bloc": _BLOCS, "level": {"TINH": "Tỉnh", "XA": "Cấp xã"}, "organization_type": _KINDS,
             "status": {"HOAT_DONG": "Đang hoạt động"}},
        ),
        Form(
            "staff", "DANH SÁCH CÁN BỘ, CÔNG CHỨC, VIÊN CHỨC",
            {
                "citizen_id": "Số CCCD", "full_name": "Họ và tên", "date_of_birth": "Ngày sinh", "gender": "Giới tính",
                "position": "Chức vụ", "organization_code": "Mã tổ chức", "started_on": "Ngày bắt đầu",
                "employment_type": "Loại cán bộ", "education": "Trình độ", "specialism": "Ngành đào tạo",
                "digital_skills": "Đạt kỹ năng số", "training_hours": "Số giờ bồi dưỡng",
            },
            {"gender": _SEX, "employment_type": {"CAN_BO": "Cán bộ", "CONG_CHUC": "Công chức", "VIEN_CHUC": "Viên chức"},
             "education": {"TS": "Tiến sĩ", "ThS": "Thạc sĩ", "DH": "Đại học", "CD": "Cao đẳng", "TC": "Trung cấp"},
             "specialism": _FIELDS},
        ),
        Form(
            "assignments", "DANH SÁCH CHỨC DANH",
            {
                "citizen_id": "Số CCCD", "organization_code": "Mã tổ chức", "post": "Chức danh", "specialism": "Lĩnh vực",
                "is_main": "Chức danh chính", "appointment": "Hình thức", "decision_no": "Số quyết định",
                "decision_date": "Ngày quyết định", "published": "Đã công khai", "local_origin": "Người địa phương",
                "started_on": "Từ ngày", "ended_on": "Đến ngày", "commune_code": "Mã xã",
            },
            {"post": {
                "BI_THU": "Bí thư Đảng ủy", "PHO_BI_THU": "Phó Bí thư Đảng ủy", "CT_HDND": "Chủ tịch HĐND",
                "PCT_HDND": "Phó Chủ tịch HĐND", "CT_UBND": "CT UBND", "PCT_UBND": "PCT UBND", "CN_UBKT": "Chủ nhiệm UBKT",
                "PCN_UBKT": "Phó Chủ nhiệm UBKT", "CAP_TRUONG": "Trưởng phòng", "CAP_PHO": "Phó Trưởng phòng",
                "UV_BTV": "Ủy viên BTV", "UV_BCH": "Ủy viên BCH", "CHUYEN_MON": "Chuyên viên"},
             "specialism": _FIELDS,
             "appointment": {"BAU": "Bầu", "BO_NHIEM": "Bổ nhiệm", "CHI_DINH": "Chỉ định"},
             "local_origin": {"CO": "Có", "KHONG": "Không", "CHUA_RO": "Chưa rõ"}},
        ),
        Form(
            "annual_quotas", "CHỈ TIÊU BIÊN CHẾ, CẤP PHÓ VÀ CÔNG TÁC CÁN BỘ",
            {
                "organization_code": "Mã tổ chức", "year": "Năm", "civil_servant_posts": "Biên chế công chức",
                "public_employee_posts": "Biên chế viên chức", "deputies_allowed": "Số cấp phó được giao",
                "appointments": "Số bổ nhiệm", "appointments_published": "Số bổ nhiệm công khai",
                "proposals": "Số đề xuất đổi mới", "proposals_approved": "Số đề xuất được duyệt",
                "talents_attracted": "Số thu hút nhân tài",
            },
        ),
        Form(
            "specialist_needs", "NHU CẦU CÁN BỘ CHUYÊN MÔN",
            {"organization_code": "Mã tổ chức", "year": "Năm", "specialism": "Lĩnh vực chuyên môn", "needed": "Số cần có"},
            {"specialism": _FIELDS},
        ),
        Form(
            "kpi_evaluations", "KẾT QUẢ ĐÁNH GIÁ THEO KPI",
            {
                "citizen_id": "Số CCCD", "organization_code": "Mã tổ chức", "task_group": "Nhóm nhiệm vụ tương đồng",
                "common_score": "Điểm tiêu chí chung", "quantity_pct": "Tỷ lệ số lượng", "quality_pct": "Tỷ lệ chất lượng",
                "progress_pct": "Tỷ lệ tiến độ", "unit_result_pct": "Kết quả hoạt động của đơn vị",
                "organising_pct": "Khả năng tổ chức triển khai", "uniting_pct": "Năng lực tập hợp, đoàn kết",
                "result_score": "Điểm kết quả thực hiện nhiệm vụ", "total_score": "Tổng điểm", "rating": "Xếp loại",
                "failing_reason": "Lý do không hoàn thành", "approved_on": "Ngày phê duyệt", "commune_code": "Mã xã",
            },
        ),
        Form(
            "service_statistics", "TÌNH HÌNH GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH",
            {
                "organization_code": "Mã tổ chức", "procedure_code": "Mã TTHC", "service_level": "Mức độ",
                "opening_stock": "Tồn đầu kỳ",
                "received_online": "Tiếp nhận trực tuyến", "received_in_person": "Tiếp nhận trực tiếp",
                "received_by_post": "Tiếp nhận qua bưu chính", "withdrawn": "Rút, từ chối",
                "resolved_early": "Giải quyết trước hạn",
                "resolved_on_time": "Giải quyết đúng hạn", "resolved_late": "Giải quyết quá hạn",
                "pending_in_time": "Đang giải quyết trong hạn", "pending_overdue": "Đang giải quyết quá hạn",
                "digitised": "Số hóa", "results_digital": "Kết quả điện tử",
            },
            {"service_level": _LEVELS},
        ),
        Form(
            "dossiers", "",
            {
                "dossier_number": "Số hồ sơ", "procedure_code": "Mã TTHC", "service_level": "Mức độ",
                "organization_code": "Mã đơn vị", "commune_code": "Mã xã", "received_on": "Ngày tiếp nhận",
                "due_on": "Ngày hẹn trả", "finished_on": "Ngày trả kết quả",
                "withdrawn_on": "Ngày rút, từ chối", "channel": "Hình thức nộp", "digitised": "Đã số hóa",
                "result_digital": "Kết quả điện tử",
            },
            {"service_level": _LEVELS, "channel": {"TRUC_TUYEN": "Trực tuyến", "TRUC_TIEP": "Trực tiếp", "BUU_CHINH": "BCCI"}},
        ),
        Form(
            "public_service_units", "TỰ CHỦ TÀI CHÍNH CỦA ĐƠN VỊ SỰ NGHIỆP CÔNG LẬP",
            {
                "organization_code": "Mã tổ chức", "kind": "Loại số liệu", "field": "Lĩnh vực", "autonomy_group": "Nhóm tự chủ",
                "own_revenue": "Thu sự nghiệp", "recurrent_spending": "Chi thường xuyên", "state_budget": "NSNN cấp",
                "funds_investment": "Tự bảo đảm chi đầu tư",
            },
            {"kind": {"KE_HOACH": "Kế hoạch", "THUC_HIEN": "Thực hiện"},
             "field": {"GD_DT": "GD&ĐT", "Y_TE": "Y tế", "VH_TT": "Văn hóa", "KHCN": "KH&CN", "KHAC": "Khác"},
             "autonomy_group": {"1": "Nhóm 1", "2": "Nhóm 2", "3": "Nhóm 3", "4": "Nhóm 4"}},
        ),
        Form(
            "digital_transformation", "CHUYỂN ĐỔI SỐ CẤP XÃ",
            {
                "commune_code": "Mã xã", "adults": "Dân số trưởng thành", "vneid_level2": "Tài khoản VNeID mức 2",
                "digitally_skilled_adults": "Người đạt kỹ năng số", "officials": "Số CBCCVC",
                "skilled_officials": "CBCCVC đạt kỹ năng số", "households": "Tổng số hộ", "connected_households": "Hộ có internet",
                "computers": "Số máy tính", "officials_needing_computer": "CBCC cần máy tính",
                "leased_line_mbps": "Đường truyền TSLCD", "it_officials": "Cán bộ CNTT",
            },
        ),
        Form(
            "population", "DÂN SỐ THEO ĐƠN VỊ HÀNH CHÍNH",
            {"province_name": "Tỉnh, thành phố", "unit_name": "Xã, phường, đặc khu", "total": "Tổng số", "urban": "Thành thị",
             "rural": "Nông thôn", "households": "Số hộ"},
        ),
        Form(
            "administrative_units", "DANH MỤC ĐƠN VỊ HÀNH CHÍNH CẤP XÃ",
            {"unit_code": "Mã PX", "unit_name": "Phường Xã", "unit_level": "Cấp", "province_code": "Mã TP",
             "province_name": "Tỉnh Thành Phố", "region": "Vùng"},
            {"region": {"DONG_BANG": "Đồng bằng", "MIEN_NUI": "Miền núi", "BIEN_GIOI_HAI_DAO": "Biên giới, hải đảo"}},
        ),
    )
}  # fmt: skip
"""How each dataset is written; that of villages has shapes of its own (:mod:`.layouts`)."""


class Mailbox:
    """Writes lists into the inbox, and keeps the answer that each must get."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.delivered: list[Delivered] = []

    def send(
        self, dataset: str, sender: str, period: str, name: str, received_on: date, frame: pl.DataFrame, bad: Bad = (),
    ) -> None:  # fmt: skip
        """A list as a file: ``name`` says by its ending how (.xlsx, .csv, .parquet). ``frame`` has columns of the contract, of
        which those of the form are written; an empty frame is not sent."""
        if frame.is_empty():
            return
        form = FORMS[dataset]
        at = moment(received_on, sender, name)
        suffix = name.rpartition(".")[2]
        table = _texts(form, frame, suffix)
        wrong = [_spoilt(table, change) for change, _ in bad]
        whole = pl.concat([table, *wrong]) if wrong else table
        if suffix == "xlsx":
            title = f"{form.title} ({period})"
            data, sheet, first = write_table(title, whole, at), "Danh sách", 4
        elif suffix == "parquet":
            out = BytesIO()
            whole.write_parquet(out, compression="zstd")
            data, sheet, first = out.getvalue(), "", 2
        else:
            data, sheet, first = _csv(whole), "", 2
        quarantined = [BadRow(sheet, first + frame.height + n, code) for n, (_, code) in enumerate(bad)]
        self.put(dataset, sender, period, name, at, data, frame.height, quarantined)

    def put(
        self, dataset: str, sender: str, period: str, name: str, at: datetime, data: bytes, rows: int,
        quarantined: Sequence[BadRow] = (),
    ) -> None:  # fmt: skip
        """A file as it is, with so many sound rows."""
        path = self.folder / period / sender / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (at.timestamp(), at.timestamp()))
        self.delivered.append(
            Delivered(
                path=f"{period}/{sender}/{name}", period=period, sender=sender, received_at=at, shape="", defect="",
                state="partly" if quarantined else "accepted", code=None, warnings=(), rows_accepted=rows,
                quarantined=tuple(quarantined), set_aside=(), in_force=True, dataset=dataset,
            )
        )  # fmt: skip


def moment(day: date, sender: str, name: str) -> datetime:
    """Some time in office hours, another for each sender and list."""
    seconds = sum((n + 1) * ord(c) for n, c in enumerate(sender + name)) % 28_000
    return datetime.combine(day, time(8), _VIETNAM) + timedelta(seconds=seconds)


def _texts(form: Form, frame: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """The frame under the form's headers: words for codes, dates by day first, ticks; numbers stay in workbooks and Parquet, and
    have a decimal comma in CSV."""
    columns = []
    for name, header in form.headers.items():
        if name not in frame.columns:
            continue
        column, kind = pl.col(name), frame.schema[name]
        if name in form.words:
            column = column.replace(form.words[name])
        elif kind == pl.Date:
            column = column.dt.to_string("%d/%m/%Y")
        elif kind == pl.Boolean:
            column = pl.when(column).then(pl.lit("x")).when(~column).then(pl.lit("không"))
        elif kind.is_float() and suffix == "csv":
            column = column.cast(pl.String).str.replace(r"\.0$", "").str.replace(".", ",", literal=True)
        elif kind.is_numeric() and suffix == "csv":
            column = column.cast(pl.String)
        columns.append(column.alias(header))
    return frame.select(columns)


def _spoilt(table: pl.DataFrame, change: Mapping[str, str | None]) -> pl.DataFrame:
    """The first row with other texts (a number column takes numbers)."""
    row = table.head(1)
    return row.with_columns(pl.lit(text, table.schema[h] if text is None else None).cast(table.schema[h]).alias(h)
                            for h, text in change.items())  # fmt: skip


def _csv(table: pl.DataFrame) -> bytes:
    """As Vietnamese systems export it: byte order mark, semicolons."""
    out = BytesIO()
    table.write_csv(out, separator=";", include_bom=True)
    return out.getvalue()
