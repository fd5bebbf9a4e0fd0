"""The closed list of codes: what can be said about a cell, a row, a submission or a delivery.

One entry per code with its Vietnamese text and remedy (what the commune officer reads). Texts are built from codes and
addresses here and nowhere else; they never hold a database message. ``{value}`` is the sender's own cell text and is
filled in only where the sender reads it, never in logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Code:
    """One thing that can be said. ``level``: which thing it is said about."""

    code: str
    level: Literal["cell", "row", "submission", "delivery"]
    severity: Literal["error", "warning", "info"]
    message: str
    remedy: str

    def text(self, **params: Any) -> str:
        """The Vietnamese sentence with its parameters filled in; a missing parameter shows as '…'."""
        return self.message.format_map(Words(params))

    def advice(self, **params: Any) -> str:
        """The remedy, likewise."""
        return self.remedy.format_map(Words(params))


class Words(dict[str, Any]):
    """Parameters of a sentence; one that is missing shows as '…'."""

    def __missing__(self, key: str) -> str:
        return "…"


def _table(
    level: Literal["cell", "row", "submission", "delivery"], *entries: tuple[str, str, str, str]
) -> dict[str, Code]:
    return {c: Code(c, level, s, m, r) for c, s, m, r in entries}  # type: ignore[arg-type]


SET_ASIDE = ("TITLE", "HEADER", "SECTION", "TOTAL", "NOTE", "BLANK", "REPEAT", "OUT_OF_SCOPE")
"""The closed list of reasons for which a row is set aside (design, law 1)."""

CODES: dict[str, Code] = {
    **_table(
        "cell",
        ("MISSING", "error", "{label} bị bỏ trống.", "Điền {label} vào ô {address}."),
        (
            "MISSING_OLD_CODE",
            "error",
            "Dòng không có mã đơn vị hành chính cũ nên không đối chiếu được.",
            "Điền mã 5 chữ số của đơn vị cũ vào ô {address}; nếu đơn vị mới lập từ cả một huyện đảo thì không cần gửi dòng này.",
        ),
        (
            "EXCEL_ERROR",
            "error",
            "{label} là lỗi {value} của Excel.",
            "Sửa công thức hoặc gõ lại giá trị vào ô {address}.",
        ),
        (
            "UNCALCULATED",
            "error",
            "{label} là công thức chưa có kết quả được lưu.",
            "Mở tệp bằng Excel, tính lại (F9), lưu rồi gửi lại; hoặc gõ giá trị vào ô {address}.",
        ),
        ("NOT_A_NUMBER", "error", "{label} “{value}” không phải là số.", "Gõ số vào ô {address}, không kèm chữ."),
        (
            "NOTED_NUMBER",
            "error",
            "{label} “{value}” có ghi chú hoặc dấu ước lượng kèm theo số.",
            "Chỉ gõ số vào ô {address} (có phải là {candidates} không?), ghi chú để ở cột ghi chú.",
        ),
        (
            "UNIT_DIFFERS",
            "error",
            "{label} “{value}” ghi theo đơn vị tính khác với đơn vị của biểu mẫu.",
            "Ghi số ở ô {address} theo đúng đơn vị tính của biểu mẫu, và sửa đơn vị ghi ở tiêu đề.",
        ),
        (
            "DITTO_MARK",
            "error",
            "{label} ghi “{value}” (như trên) nhưng không xác định được dòng trên.",
            "Gõ lại giá trị đầy đủ vào ô {address}.",
        ),
        ("NOT_WHOLE", "error", "{label} “{value}” không phải là số nguyên.", "Gõ số nguyên vào ô {address}."),
        (
            "AMBIGUOUS_NUMBER",
            "error",
            "{label} “{value}” có thể hiểu theo hai cách.",
            "Viết rõ số ở ô {address}: dấu chấm ngăn hàng nghìn, dấu phẩy trước phần thập phân.",
        ),
        ("OUT_OF_RANGE", "error", "{label} “{value}” nằm ngoài khoảng cho phép.", "Kiểm tra và sửa ô {address}."),
        (
            "PENDING_VALUE",
            "error",
            "{label} ghi “{value}”, chưa có số liệu.",
            "Điền số liệu thật vào ô {address} khi đã có.",
        ),
        ("TOO_LONG", "error", "{label} dài quá {limit} ký tự.", "Viết gọn lại nội dung ô {address}."),
        ("CONTROL_CHARACTER", "error", "{label} chứa ký tự điều khiển không hiển thị.", "Gõ lại nội dung ô {address}."),
        (
            "FORMULA_TEXT",
            "error",
            "{label} bắt đầu bằng ký tự “=”, “+”, “-” hoặc “@” như một công thức.",
            "Gõ lại nội dung ô {address} không có ký tự đó ở đầu.",
        ),
        (
            "NOT_IN_LIST",
            "error",
            "{label} “{value}” không có trong danh mục.",
            "Chọn một giá trị trong danh mục cho ô {address}.",
        ),
        (
            "BAD_CODE",
            "error",
            "{label} “{value}” không đúng dạng mã.",
            "Ghi lại mã ở ô {address} dưới dạng văn bản, đủ chữ số.",
        ),
        (
            "UNKNOWN_UNIT",
            "error",
            "{label} “{value}” không có trong danh mục đơn vị hành chính ở ngày số liệu.",
            "Ghi mã hoặc tên xã, phường, đặc khu hiện hành vào ô {address}.",
        ),
        (
            "AMBIGUOUS_UNIT",
            "error",
            "{label} “{value}” ứng với nhiều đơn vị: {candidates}.",
            "Ghi mã 5 chữ số của đúng đơn vị vào ô {address}.",
        ),
        (
            "ENDED_UNIT",
            "error",
            "{label} “{value}” là của một đơn vị đã thôi hiệu lực từ {candidates}: danh mục này là bản cũ.",
            "Gửi danh mục có hiệu lực ở ngày số liệu; hoặc ghi as_of đúng ngày của danh mục trong tệp .yaml đi kèm.",
        ),
        (
            "BAD_DATE",
            "error",
            "{label} “{value}” không phải là ngày có thật.",
            "Ghi ngày theo dạng ngày/tháng/năm vào ô {address}.",
        ),
        (
            "DATE_CELL",
            "error",
            "{label} là ô kiểu ngày tháng của Excel, không phải văn bản.",
            "Định dạng ô {address} là Văn bản (Text) rồi gõ lại nội dung.",
        ),
        (
            "AMBIGUOUS_PERCENT",
            "error",
            "{label} “{value}” có thể là tỷ lệ hoặc phần trăm.",
            "Ghi kèm dấu phần trăm ở ô {address}, ví dụ 66,49%.",
        ),
        (
            "DATE_NOT_PRECISE",
            "error",
            "{label} “{value}” thiếu ngày hoặc tháng.",
            "Ghi đủ ngày/tháng/năm vào ô {address}.",
        ),
        (
            "OTHER_YEAR",
            "error",
            "{label} {value} không phải là năm của kỳ báo cáo.",
            "Sửa ô {address}, hoặc gửi số liệu vào kỳ của năm đó.",
        ),
        ("FUTURE_DATE", "error", "{label} “{value}” nằm ở tương lai.", "Kiểm tra và sửa ngày ở ô {address}."),
        ("BAD_BOOLEAN", "error", "{label} “{value}” không phải là dấu chọn.", "Ghi “x” hoặc để trống ô {address}."),
        (
            "MISPLACED",
            "error",
            "Dòng này có nhiều hoặc ít ô hơn dòng tiêu đề, nên không biết ô nào thuộc cột nào.",
            "Kiểm tra dấu phân cách, dấu ngoặc kép và chỗ ngắt dòng quanh ô {address} rồi gửi lại.",
        ),
        (
            "BAD_CITIZEN_ID",
            "error",
            "{label} không phải là số định danh cá nhân 12 chữ số, hoặc đã mất chữ số.",
            "Định dạng ô {address} là Văn bản (Text) rồi gõ lại đủ 12 chữ số trên thẻ căn cước.",
        ),
        (
            "OLD_ID_CARD",
            "error",
            "{label} là số chứng minh nhân dân 9 số, không còn dùng làm số định danh.",
            "Ghi số định danh cá nhân 12 chữ số vào ô {address}.",
        ),
        (
            "BAD_ID_CARD",
            "error",
            "{label} không phải là số chứng minh nhân dân 9 chữ số hoặc số căn cước 12 chữ số.",
            "Sửa ô {address} theo đúng thẻ, hoặc để trống.",
        ),
        (
            "ID_IN_TEXT",
            "error",
            "{label} chứa một dãy số dài như số giấy tờ cá nhân.",
            "Ghi số giấy tờ vào cột của nó; ô {address} chỉ ghi {label}.",
        ),
        (
            "ID_MISMATCH",
            "error",
            "{label} không khớp với giới tính hoặc năm sinh ghi cùng dòng.",
            "Đối chiếu thẻ căn cước rồi sửa ô {address}, giới tính hoặc ngày sinh.",
        ),
        (
            "BAD_TAX_CODE",
            "error",
            "{label} không phải là mã số thuế đúng.",
            "Ghi lại mã số thuế 10 chữ số (chi nhánh thêm -NNN) vào ô {address}, dưới dạng văn bản.",
        ),
        (
            "BAD_PHONE",
            "error",
            "{label} không phải là một số điện thoại đúng.",
            "Ghi một số điện thoại đủ mã vùng hoặc đầu số vào ô {address}, dưới dạng văn bản.",
        ),
        (
            "BAD_AGENCY_ID",
            "error",
            "{label} “{value}” không phải là mã định danh điện tử của cơ quan.",
            "Ghi mã dạng 000.00.15.H32 hoặc H32.15 vào ô {address}.",
        ),
        (
            "AMBIGUOUS_NAME",
            "error",
            "{label} bắt đầu bằng “Ông”, có thể là cách xưng hô hoặc là họ.",
            "Chỉ ghi họ và tên vào ô {address}, không kèm cách xưng hô; nếu là họ Ông thì đề nghị tỉnh chấp nhận.",
        ),
        (
            "TWO_FACTS",
            "error",
            "{label} chứa hơn một thông tin trong một ô.",
            "Tách từng thông tin vào cột của nó; ô {address} chỉ ghi {label}.",
        ),
        (
            "DOUBTFUL_LABEL",
            "error",
            "Nhãn dòng “{value}”, điền từ dòng trên, không khớp với dòng tổng của nhóm.",
            "Ghi đủ tên tỉnh, huyện ở đầu mỗi nhóm (ô {address}) đúng như ở dòng tổng rồi gửi lại.",
        ),
        (
            "SEVERAL_MARKED",
            "error",
            "{label} phải được đánh dấu ở đúng một cột; dòng này có nhiều ô được ghi hoặc ghi không rõ.",
            "Chỉ đánh dấu một trong các ô {address}, xóa nội dung ở các ô còn lại.",
        ),
        (
            "UNDECODED",
            "error",
            "{label} có chữ không xác định được bảng mã, có thể đọc theo nhiều cách.",
            "Lưu lại tệp bằng bảng mã Unicode (UTF-8), hoặc gõ lại ô {address} bằng phông chữ Unicode.",
        ),
        ("UNREADABLE_TEXT", "error", "{label} có chữ không đọc được.", "Gõ lại ô {address} bằng bảng mã Unicode."),
    ),
    **_table(
        "row",
        (
            "DUPLICATE_KEY",
            "error",
            "Cùng một khóa ({key}) có mặt ở nhiều dòng với nội dung khác nhau: {rows}.",
            "Giữ lại một dòng đúng, xóa các dòng kia rồi gửi lại.",
        ),
        ("RULE", "error", "{message}", "{remedy}"),
    ),
    **_table(
        "submission",
        (
            "NO_DATA_ROWS",
            "error",
            "Trang tính không có dòng số liệu nào dưới tiêu đề.",
            "Điền số liệu, hoặc gửi kèm tệp .yaml ghi nothing_to_report: true nếu kỳ này không phát sinh.",
        ),
        (
            "MISSING_HEADER",
            "error",
            "Không tìm thấy cột bắt buộc “{label}”; cột gần nhất: “{nearest}”.",
            "Đặt tiêu đề cột là “{label}” rồi gửi lại.",
        ),
        (
            "DUPLICATE_HEADER",
            "error",
            "Hai cột cùng khớp với “{label}”: {columns}.",
            "Giữ lại một cột, đổi tên cột kia.",
        ),
        (
            "UNKNOWN_DATASET",
            "error",
            "Không nhận ra bộ dữ liệu nào từ các tiêu đề của tệp.",
            "Dùng biểu mẫu của tỉnh, hoặc ghi dataset trong tệp .yaml đi kèm.",
        ),
        (
            "AMBIGUOUS_DATASET",
            "error",
            "Tiêu đề của tệp khớp với nhiều bộ dữ liệu: {candidates}.",
            "Ghi dataset trong tệp .yaml đi kèm.",
        ),
        (
            "TOO_MANY_BAD_ROWS",
            "error",
            "{bad} trên {total} dòng có lỗi, vượt mức cho phép {limit}.",
            "Sửa các dòng lỗi rồi gửi lại, hoặc đề nghị tỉnh chấp nhận.",
        ),
        (
            "ENDS_TOO_MANY",
            "error",
            "Danh sách mới làm mất {ended} trên {before} mục của lần trước, vượt mức cho phép {limit}.",
            "Kiểm tra tệp có bị thiếu dòng không; nếu đúng thì đề nghị tỉnh chấp nhận.",
        ),
        (
            "RESEND_OF_OLDER",
            "error",
            "Tệp trùng nguyên văn với một bản cũ đã được thay thế ({submission}).",
            "Gửi bản mới nhất; nếu muốn quay lại bản cũ thì đề nghị tỉnh chấp nhận.",
        ),
        (
            "SAME_AS_IN_FORCE",
            "info",
            "Tệp trùng nguyên văn với bản đang có hiệu lực ({submission}); không có gì thay đổi.",
            "Không cần làm gì thêm.",
        ),
        (
            "AS_OF_OUTSIDE_PERIOD",
            "error",
            "Ngày số liệu {as_of} nằm ngoài kỳ {period}.",
            "Sửa ngày trong tệp hoặc gửi vào đúng kỳ.",
        ),
        (
            "RULE_COULD_NOT_RUN",
            "error",
            "Quy tắc {rule} không chạy được trên tệp này.",
            "Tỉnh sẽ kiểm tra; đơn vị chưa cần làm gì.",
        ),
        (
            "TOTAL_DIFFERS",
            "warning",
            "Dòng tổng {address} ghi {stated}, cộng các dòng được {computed}.",
            "Kiểm tra lại dòng tổng hoặc các dòng số liệu.",
        ),
        (
            "NOTHING_OF_ITS_OWN",
            "error",
            "Không dòng nào trong {rows} dòng thuộc địa bàn của đơn vị gửi.",
            "Kiểm tra tệp có đúng của đơn vị mình không rồi gửi lại.",
        ),
        (
            "REFUSED",
            "error",
            "Tỉnh đã quyết định không nhận bản này.",
            "Liên hệ đầu mối của tỉnh để biết lý do, sửa rồi gửi lại.",
        ),
        (
            "TOTALS_HOLD",
            "error",
            "Dòng tổng không khớp với các dòng số liệu; bộ dữ liệu này yêu cầu khớp.",
            "Kiểm tra dòng tổng và các dòng số liệu rồi gửi lại.",
        ),
        (
            "HIDDEN_SHEET",
            "warning",
            "Trang tính ẩn “{sheet}” không được đọc.",
            "Bỏ ẩn nếu trang đó có số liệu cần gửi.",
        ),
        (
            "HIDDEN_ROWS",
            "warning",
            "{count} dòng ẩn ở trang “{sheet}” vẫn được đọc.",
            "Xóa các dòng ẩn nếu không muốn gửi.",
        ),
        (
            "UNKNOWN_COLUMN",
            "info",
            "Cột “{header}” ({letter}) không có trong biểu mẫu và không được lấy.",
            "Không cần làm gì.",
        ),
        (
            "OTHER_PERIODS",
            "warning",
            "Các trang tính của kỳ khác không được đọc: {sheets}.",
            "Gửi số liệu của kỳ nào vào thư mục của kỳ đó.",
        ),
        (
            "ENCODING_READ",
            "warning",
            "{where} được đọc theo bảng mã {encoding} (tỉ lệ âm tiết hợp lệ {share}%).",
            "Không cần gửi lại; lần sau lưu bằng bảng mã Unicode (UTF-8).",
        ),
        (
            "ENCODING_UNDECIDED",
            "warning",
            "{where} có {count} ô không xác định được bảng mã (có thể là {candidates}).",
            "Chuyển các ô đó sang bảng mã Unicode rồi gửi lại; các dòng có ô đó chưa được nhận.",
        ),
        (
            "BAD_BYTES",
            "warning",
            "Tệp ở bảng mã UTF-8 nhưng có byte hỏng; các ô có byte đó không đọc được.",
            "Gõ lại các ô bị báo lỗi, lưu tệp dưới dạng CSV UTF-8 rồi gửi lại.",
        ),
        (
            "SHEET_NOT_READ",
            "warning",
            "Trang tính “{sheet}” không có bảng số liệu nhận ra được.",
            "Không cần làm gì nếu đó là trang phụ.",
        ),
    ),
    **_table(
        "delivery",
        ("EMPTY_FILE", "error", "Tệp rỗng (0 byte).", "Gửi lại tệp có nội dung."),
        (
            "SECRET_MARKING",
            "error",
            "Tệp mang dấu chỉ độ mật hoặc là danh sách quy hoạch cán bộ nên bị từ chối ngay khi tiếp nhận; hệ thống không lưu "
            "tệp và tên tệp, chỉ lưu mã băm, kích thước, thời điểm và đơn vị gửi.",
            "Không gửi tài liệu này qua hệ thống. Xóa tệp khỏi thư mục gửi và liên hệ bộ phận bảo mật, văn thư mật của tỉnh. Nếu "
            "tệp không phải tài liệu mật thì bỏ ô, dòng hoặc phần tên tệp trùng với dấu chỉ độ mật rồi gửi lại.",
        ),
        (
            "DAMAGED_WORKBOOK",
            "error",
            "Tệp bảng tính bị hỏng hoặc bị cắt dở.",
            "Mở tệp bằng Excel, lưu lại rồi gửi lại.",
        ),
        ("DAMAGED_FILE", "error", "Tệp {format} bị hỏng hoặc bị cắt dở.", "Xuất hoặc nén lại tệp rồi gửi lại."),
        ("PASSWORD", "error", "Tệp có mật khẩu.", "Gỡ mật khẩu rồi gửi lại."),
        (
            "NO_SHEETS",
            "error",
            "Tệp không có trang tính nào.",
            "Mở tệp bằng Excel, kiểm tra số liệu, lưu thành .xlsx rồi gửi lại.",
        ),
        (
            "HTML_AS_WORKBOOK",
            "warning",
            "Tệp là trang HTML được đặt tên như tệp Excel; đã đọc bảng theo nội dung.",
            "Lần sau mở tệp bằng Excel và lưu thành .xlsx.",
        ),
        (
            "NO_TABLE_IN_PAGE",
            "error",
            "Tệp là một trang web không có bảng số liệu (có thể là trang đăng nhập hoặc trang báo lỗi).",
            "Đăng nhập lại vào phần mềm, xuất lại số liệu, mở xem rồi gửi tệp .xlsx.",
        ),
        (
            "CSV_AS_WORKBOOK",
            "warning",
            "Tệp là văn bản CSV được đặt tên như tệp Excel; đã đọc theo nội dung.",
            "Lần sau đặt tên tệp là .csv hoặc lưu thành .xlsx.",
        ),
        (
            "UNSUPPORTED_FORMAT",
            "error",
            "Định dạng {format} chưa được hỗ trợ.",
            "Gửi bảng số liệu dạng Excel (.xlsx, .xlsm, .xlsb, .xls), .ods, .csv, .tsv, .html, .json, .parquet hoặc các tệp đó "
            "nén trong một tệp .zip.",
        ),
        (
            "NOT_A_TABLE",
            "error",
            "Tệp {format} là văn bản, bản quét hoặc ảnh, không phải bảng số liệu.",
            "Gửi chính bảng số liệu dạng Excel (.xlsx); bản ký, bản quét gửi theo đường công văn.",
        ),
        (
            "UNSUPPORTED_ARCHIVE",
            "error",
            "Không mở được tệp nén dạng {format}.",
            "Gửi thẳng tệp số liệu, hoặc nén các tệp số liệu một lần dưới dạng .zip rồi gửi lại.",
        ),
        ("EMPTY_ARCHIVE", "error", "Tệp nén không chứa tệp nào.", "Nén lại các tệp số liệu rồi gửi lại."),
        (
            "BAD_PART",
            "error",
            "Không đọc được “{part}” trong tệp nén ({reason}) nên không nhận cả tệp nén.",
            "Sửa hoặc bỏ “{part}” ra khỏi tệp nén rồi gửi lại.",
        ),
        (
            "BROKEN_JSON",
            "error",
            "Tệp JSON sai cú pháp hoặc bảng mã ở dòng {line}.",
            "Xuất lại tệp từ phần mềm, bảng mã UTF-8, rồi gửi lại.",
        ),
        (
            "JSON_SHAPE",
            "error",
            "Tệp JSON không phải một danh sách bản ghi trọn vẹn: {detail}.",
            "Xuất toàn bộ số liệu thành một danh sách các bản ghi phẳng, hoặc gửi tệp .xlsx.",
        ),
        ("TOO_LARGE", "error", "Tệp vượt giới hạn: {limit}.", "Chia nhỏ tệp rồi gửi lại."),
        (
            "READER_TIMEOUT",
            "error",
            "Đọc tệp quá {limit} giây nên đã dừng lại.",
            "Chép riêng bảng số liệu sang một tệp .xlsx mới, hoặc chia nhỏ tệp, rồi gửi lại.",
        ),
        (
            "READER_DIED",
            "error",
            "Chương trình đọc tệp bị sập hai lần khi đọc tệp này.",
            "Chép riêng bảng số liệu sang một tệp .xlsx mới, hoặc lưu thành .csv, rồi gửi lại; tỉnh sẽ kiểm tra tệp này.",
        ),
        (
            "NOT_UTF8",
            "error",
            "Không xác định được bảng mã của tệp.",
            "Lưu tệp bằng bảng mã Unicode (UTF-8) rồi gửi lại.",
        ),
        (
            "BROKEN_CSV",
            "error",
            "Tệp CSV có dấu ngoặc kép không đóng, bắt đầu ở dòng {row}.",
            "Sửa dấu ngoặc kép rồi gửi lại.",
        ),
        (
            "NOT_IN_ARCHIVE",
            "error",
            "Bản lưu của tệp này ở tỉnh bị mất hoặc bị hỏng trước khi được đọc.",
            "Gửi lại đúng tệp này; tỉnh sẽ kiểm tra kho lưu trữ.",
        ),
        (
            "DESTROYED",
            "error",
            "Bản lưu của tệp này ở tỉnh đã được hủy theo quy định ngày {at}, trước khi được đọc.",
            "Gửi lại tệp nếu số liệu vẫn phải báo cáo.",
        ),
        (
            "INTERNAL",
            "error",
            "Hệ thống gặp lỗi khi đọc tệp này ({fault}).",
            "Tỉnh sẽ kiểm tra; đơn vị chưa cần làm gì.",
        ),
        (
            "BAD_PATH",
            "error",
            "Đường dẫn không đúng dạng <kỳ>/<đơn vị>/<tệp>: {detail}.",
            "Đặt tệp vào đúng thư mục kỳ và đơn vị.",
        ),
        ("UNKNOWN_SENDER", "error", "Không có đơn vị gửi mang mã {sender}.", "Đặt tệp vào thư mục mang mã đơn vị."),
        (
            "UNKNOWN_PERIOD",
            "error",
            "Không hiểu kỳ “{period}” cho bộ dữ liệu {dataset}.",
            "Ghi kỳ dạng 2026-06, 2026-Q2, 2026-H1 hoặc 2026.",
        ),
        (
            "NOT_A_SENDER",
            "error",
            "Đơn vị {sender} không thuộc diện gửi bộ dữ liệu {dataset}.",
            "Kiểm tra lại biểu mẫu và thư mục gửi.",
        ),
        ("BAD_SIDECAR", "error", "Tệp .yaml đi kèm không đọc được: {detail}.", "Sửa tệp .yaml theo hướng dẫn."),
    ),
}
