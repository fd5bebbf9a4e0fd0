"""The closed list of codes: what can be said about a cell, a row, a submission or a delivery.

One entry per code: what it is said about, how grave it is, and what its text may speak of. The Vietnamese texts and remedies
are those of the catalogue (:mod:`schemas.messages`); they are built from codes and addresses, and never hold a database
message. ``{value}`` is the sender's own cell text and is filled in only where the sender reads it, never in logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from . import messages

Level = Literal["cell", "row", "submission", "delivery"]
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Code:
    """One thing that can be said. ``level``: which thing it is said about; ``params``: what is given with it."""

    code: str
    level: Level
    severity: Severity
    params: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The Vietnamese sentence, with its placeholders."""
        return messages.template("message", self.code)

    @property
    def remedy(self) -> str:
        """What to do about it, with its placeholders."""
        return messages.template("remedy", self.code)

    def text(self, form: str = "", /, **params: Any) -> str:
        """The sentence with its parameters filled in; a missing parameter shows as '…'.

        ``form``: a more exact form of it, such as 'day' of BAD_DATE; where the catalogue has none, the plain one."""
        return self._said("message", form, params)

    def advice(self, form: str = "", /, **params: Any) -> str:
        """The remedy, likewise."""
        return self._said("remedy", form, params)

    def _said(self, context: str, form: str, params: dict[str, Any]) -> str:
        exact = f"{self.code}.{form}"
        return messages.text(context, exact if form and messages.known(context, exact) else self.code, **params)


SET_ASIDE = ("TITLE", "HEADER", "SECTION", "TOTAL", "NOTE", "BLANK", "REPEAT", "OUT_OF_SCOPE")
"""The closed list of reasons for which a row is set aside (design, law 1)."""

CELL = ("label", "value", "address", "candidates", "limit")
"""What is known of any cell: the name of its column, its text, its address, the detail of the verdict, the column's limit of
characters."""


def _table(level: Level, severity: Severity, params: tuple[str, ...], codes: str) -> dict[str, Code]:
    return {code: Code(code, level, severity, params) for code in codes.split()}


CODES: dict[str, Code] = {
    **_table(
        "cell",
        "error",
        CELL,
        """
        MISSING MISSING_OLD_CODE EXCEL_ERROR UNCALCULATED NOT_A_NUMBER NOTED_NUMBER UNIT_DIFFERS DITTO_MARK NOT_WHOLE
        AMBIGUOUS_NUMBER OUT_OF_RANGE PENDING_VALUE TOO_LONG CONTROL_CHARACTER FORMULA_TEXT NOT_IN_LIST BAD_CODE UNKNOWN_UNIT
        AMBIGUOUS_UNIT ENDED_UNIT BAD_DATE DATE_CELL AMBIGUOUS_PERCENT DATE_NOT_PRECISE OTHER_YEAR FUTURE_DATE BAD_BOOLEAN
        MISPLACED BAD_CITIZEN_ID OLD_ID_CARD BAD_ID_CARD ID_IN_TEXT ID_MISMATCH BAD_TAX_CODE BAD_PHONE BAD_AGENCY_ID
        AMBIGUOUS_NAME TWO_FACTS DOUBTFUL_LABEL SEVERAL_MARKED UNDECODED UNREADABLE_TEXT
        """,
    ),
    **_table("row", "error", ("key", "rows"), "DUPLICATE_KEY"),
    **_table("submission", "error", (), "NO_DATA_ROWS UNKNOWN_DATASET REFUSED TOTALS_HOLD"),
    **_table("submission", "info", (), "NOTHING_TO_REPORT"),
    **_table("submission", "error", ("rows",), "NOTHING_BUT_ROWS"),
    **_table("submission", "error", ("label", "nearest"), "MISSING_HEADER"),
    **_table("submission", "error", ("label", "columns"), "DUPLICATE_HEADER"),
    **_table("submission", "error", ("candidates",), "AMBIGUOUS_DATASET"),
    **_table("submission", "error", ("bad", "total", "limit"), "TOO_MANY_BAD_ROWS"),
    **_table("submission", "error", ("ended", "before", "limit"), "ENDS_TOO_MANY"),
    **_table("submission", "error", ("submission",), "RESEND_OF_OLDER"),
    **_table("submission", "info", ("submission",), "SAME_AS_IN_FORCE"),
    **_table("submission", "error", ("as_of", "period"), "AS_OF_OUTSIDE_PERIOD"),
    **_table("submission", "error", ("period", "closed_on"), "PERIOD_CLOSED"),
    **_table("submission", "error", ("rule",), "RULE_COULD_NOT_RUN"),
    **_table("submission", "warning", ("address", "stated", "computed"), "TOTAL_DIFFERS"),
    **_table("submission", "error", ("rows",), "NOTHING_OF_ITS_OWN"),
    **_table("submission", "warning", ("sheet",), "HIDDEN_SHEET SHEET_NOT_READ"),
    **_table("submission", "warning", ("sheet", "count"), "HIDDEN_ROWS"),
    **_table("submission", "info", ("header", "letter"), "UNKNOWN_COLUMN"),
    **_table("submission", "warning", ("sheets",), "OTHER_PERIODS"),
    **_table("submission", "warning", ("where", "encoding", "share"), "ENCODING_READ"),
    **_table("submission", "warning", ("where", "count", "candidates"), "ENCODING_UNDECIDED"),
    **_table("submission", "warning", (), "BAD_BYTES"),
    **_table(
        "delivery",
        "error",
        (),
        """
        EMPTY_FILE SECRET_MARKING DAMAGED_WORKBOOK PASSWORD NO_SHEETS NO_TABLE_IN_PAGE EMPTY_ARCHIVE READER_DIED NOT_UTF8
        NOT_IN_ARCHIVE
        """,
    ),
    **_table("delivery", "warning", (), "HTML_AS_WORKBOOK CSV_AS_WORKBOOK"),
    **_table("delivery", "error", ("format",), "DAMAGED_FILE UNSUPPORTED_FORMAT NOT_A_TABLE UNSUPPORTED_ARCHIVE"),
    **_table("delivery", "error", ("part", "reason"), "BAD_PART"),
    **_table("delivery", "error", ("line",), "BROKEN_JSON"),
    **_table("delivery", "error", ("detail",), "JSON_SHAPE BAD_PATH BAD_SIDECAR"),
    **_table("delivery", "error", ("limit",), "TOO_LARGE READER_TIMEOUT"),
    **_table("delivery", "error", ("row",), "BROKEN_CSV"),
    **_table("delivery", "error", ("at",), "DESTROYED"),
    **_table("delivery", "error", ("fault",), "INTERNAL"),
    **_table("delivery", "error", ("sender",), "UNKNOWN_SENDER"),
    **_table("delivery", "error", ("period", "dataset"), "UNKNOWN_PERIOD"),
    **_table("delivery", "error", ("sender", "dataset"), "NOT_A_SENDER"),
}
