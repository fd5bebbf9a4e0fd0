"""From raw rows to observations: clean, hash, judge. Plain frames in, plain frames out; no database here.

One call takes a batch: many whole submissions of one dataset, or a slice of a huge one. All work is done a column at a
time over the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl
import polars_hash as plh

from expectations.run import Outcome
from schemas.contract import Column, Contract
from schemas.grid import KIND, Kind, SheetLayout
from schemas.mask import RUN, hidden, masked
from schemas.semantic import Cleaned, Context, clean, cleaning_order, key_form
from schemas.semantic.base import without
from schemas.text import clean_text
from schemas.vietnam import VIETNAM, local_day

from .copy import as_json

_ID = ["_sub", "_sheet", "_row"]
_PLACE = {"_sub": pl.Int64, "_sheet": pl.Int16, "_row": pl.Int32}
_ISSUE = {"_id": pl.Int64, **_PLACE, "rule": pl.String, "detail": pl.String, "column_name": pl.String}
_REPAIR = {**_PLACE, "column_name": pl.String, "rule": pl.String, "raw": pl.String}
_DITTO = r"""^(?:["″“”〃]|''|-?"-?|- ?(?:nt|như trên) ?-|nt|như trên)$"""
"""Signs and words for 'the same as above', in lower case."""
_NULL = "\x01"  # stands for null inside hashed text; cleaned text holds no control characters
_SEPARATOR = "\x1f"

_FREE_TEXT = ("text", "name", "names", "person_name", "place_path")
"""Semantic types that take any text."""

Seal = Callable[[dict[str, pl.Series]], dict[str, pl.Series]]
"""Columns of clear values (String) -> the same with the subjects that stand for them (Int64)."""
Validate = Callable[[pl.DataFrame, pl.DataFrame], Outcome]
"""(typed frame with _id and _sub, cells already found bad: _id, column) -> failures and results."""


@dataclass(frozen=True)
class Sender:
    """Who sends, as far as staging must know: its code and the communes in its authority (None: any)."""

    code: str
    commune_code: str | None = None
    scope: frozenset[str] | None = None


@dataclass
class Pending:
    """A submission about to be observed; ``no`` is its number within the batch."""

    no: int
    sender: Sender
    as_of: date
    received_at: datetime
    layouts: Sequence[SheetLayout]


@dataclass
class Observed:
    """What a batch says. All frames carry _sub, _sheet, _row.

    ``observations``: _key (Int64 or null), _value (Int64), _ok, then the contract's columns, typed. ``verdicts``: rule,
    column_name, severity, address, params (JSON text). ``quarantine``: key, raw (JSON text). ``repairs``: column_name, rule,
    raw. ``set_aside``: reason, text, key (null where the row was not read). ``results``: _sub, check, severity, status,
    evaluated, unexpected.
    """

    observations: pl.DataFrame
    verdicts: pl.DataFrame
    quarantine: pl.DataFrame
    repairs: pl.DataFrame
    set_aside: pl.DataFrame
    results: pl.DataFrame


def observe(
    contract: Contract,
    raw: pl.DataFrame,
    pending: Sequence[Pending],
    resolve_unit: Callable[[pl.DataFrame], pl.DataFrame] | None,
    validate: Validate,
    severities: Mapping[str, tuple[str, str | None]],
    listed_unit: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
    whole: bool = True,
    seal: Seal | None = None,
) -> Observed:
    """Observe a batch. ``raw``: _sub, _sheet, _row and the table's columns with kinds (:class:`schemas.grid.FoundTable`).

    ``severities``: check id -> (severity, column blamed). Rows out of the sender's scope, rows that say nothing (``unsaidWithout``)
    and exact repeats are set aside; two
    differing rows under one key are both quarantined; a row with an error is quarantined, with its typed values kept.
    ``whole``: every row of the submissions is here, so that what depends on others of them can be read: ditto marks (N11) and
    numbers in doubt (N18), which otherwise are quarantined. ``seal`` is asked for the subjects of what the contract keeps in
    the vault: of such a value nothing is returned but its mask.
    """
    frame = _with_all_columns(contract, raw)
    facts = pl.DataFrame(
        {
            "_sub": [p.no for p in pending],
            "sender": [p.sender.code for p in pending],
            "commune": [p.sender.commune_code for p in pending],
            "as_of": [p.as_of for p in pending],
            "received_on": [local_day(p.received_at) for p in pending],
        },
        schema={"_sub": pl.Int64, "sender": pl.String, "commune": pl.String, "as_of": pl.Date, "received_on": pl.Date},
    )
    about = frame.select("_sub").join(facts, on="_sub", how="left", maintain_order="left")
    sent = frame
    frame, repairs, lost = _with_dittos(contract, frame, whole)
    frame, defaults = _with_defaults(contract, frame, about)
    repairs += [*defaults, *_of_sheets(frame, pending)]
    names = [c for c in frame.columns if c.endswith(KIND)]
    absent = {c.removesuffix(KIND): frame[c].is_null() for c in names if frame[c].null_count()}
    frame = frame.with_columns(pl.col(names).fill_null(int(Kind.BLANK)))
    shown = frame.with_columns(sent[name] for name in lost)
    if contract.vaulted:
        cells = sorted({c.source for c in contract.vaulted})
        shown = shown.with_columns(hidden(shown[name]).alias(name) for name in cells)
    context = Context(
        as_of=about["as_of"],
        received_on=about["received_on"],
        sender=about["sender"],
        resolve_unit=resolve_unit,
        listed_unit=listed_unit,
        today=datetime.now(VIETNAM).date(),
        submission=frame["_sub"] if whole else None,
    )
    layouts = [(p.no, layout) for p in pending for layout in p.layouts]
    places = frame.select(_ID)
    typed: dict[str, pl.Series] = {}
    issues: list[pl.DataFrame] = []
    for column in cleaning_order(contract.columns):
        source = column.source
        context = replace(
            context, siblings=typed, absent=absent.get(source), unit=stated_units(places, layouts, source)
        )
        cleaned = _of_form(column, clean(column, frame[source], frame[source + KIND], context), absent.get(source))
        if source in lost:
            unknown = lost[source]
            cleaned.value = without(cleaned.value, unknown)
            cleaned.repair = without(cleaned.repair, unknown)
            cleaned.issue = cleaned.issue.zip_with(~unknown, pl.Series(["DITTO_MARK"]))
        typed[column.name] = cleaned.value.alias(column.name)
        told = column.semantic_type != "id_as_sent"  # what is wrong with its cell is said of the cell's own column
        if told and cleaned.issue.null_count() < frame.height:
            detail = cleaned.detail if cleaned.detail is not None else pl.Series([None] * frame.height, dtype=pl.String)
            found = places.with_row_index("_id").with_columns(rule=cleaned.issue, detail=detail)
            issues.append(found.filter(pl.col("rule").is_not_null()).with_columns(column_name=pl.lit(column.name)))
        if cleaned.repair.null_count() < frame.height:
            mended = places.with_columns(rule=cleaned.repair, raw=shown[source]).filter(pl.col("rule").is_not_null())
            repairs.append(mended.with_columns(column_name=pl.lit(column.name)))
    values = pl.DataFrame([typed[c.name] for c in contract.columns])
    stored = _sealed(contract, values, places, issues, seal)
    bad = _stack(issues, _ISSUE)
    everything = pl.concat([places.with_row_index("_id").cast({"_id": pl.Int64}), values], how="horizontal")
    key, value = key_hash(contract, stored), value_hash(stored, shown, bad)
    everything = everything.with_columns(_key=key, _value=value)
    outside = _out_of_scope(contract, everything, pending)
    unsaid = _unsaid(contract, _without(everything, outside), bad)
    inside = _without(_without(everything, outside), unsaid)
    repeated, doubled = duplicates(inside, _sheet_names(pending))
    kept, bad = _without(inside, repeated), _without(_without(_without(bad, outside), unsaid), repeated)
    outcome = validate(kept.drop("_key", "_value", "_sheet", "_row"), bad.select("_id", column="column_name"))
    verdicts = _verdicts(contract, pending, kept.select("_id", *_ID), bad, outcome.failures, doubled, severities)
    wrong = verdicts.filter(severity="error").get_column("_id").unique()
    kept = kept.with_columns(_ok=pl.col("_id").is_in(wrong.implode()).not_())
    kept, verdicts = _named_by_nobody(contract, pending, frame, kept, verdicts)
    # in the contract's order: that of the batch depends on what other files are in it
    raw_columns = [c.name for c in contract.columns if c.name in raw.columns]
    quarantined = kept.filter(pl.col("_ok").not_()).select("_id", *_ID, key="_key")
    aside = pl.concat(
        [
            places[outside].with_columns(reason=pl.lit("OUT_OF_SCOPE"), _id=outside),
            places[unsaid].with_columns(reason=pl.lit("BLANK"), _id=unsaid),
            places[repeated].with_columns(reason=pl.lit("REPEAT"), _id=repeated),
        ]
    )
    return Observed(
        observations=kept.select(*_ID, "_key", "_value", "_ok", *(stored[n][kept["_id"]] for n in stored.columns)),
        verdicts=verdicts.drop("_id"),
        quarantine=quarantined.drop("_id").with_columns(raw=as_json(shown[quarantined["_id"]].select(raw_columns))),
        repairs=_stack(repairs, _REPAIR).join(aside, on=_ID, how="anti", maintain_order="left"),
        set_aside=aside.drop("_id").with_columns(
            text=as_json(shown[aside["_id"]].select(raw_columns)), key=_whose(contract, stored, key)[aside["_id"]]
        ),
        results=outcome.results.with_columns(
            severity=pl.col("check").replace_strict({c: v[0] for c, v in severities.items()}, return_dtype=pl.String)
        ),
    )


def _sealed(
    contract: Contract, values: pl.DataFrame, places: pl.DataFrame, issues: list[pl.DataFrame], seal: Seal | None
) -> pl.DataFrame:
    """The values as they may be stored: subjects for what belongs in the vault, and no number of a card in other texts.

    A text that holds one is masked, and told as an issue: it would be shown wherever the text is."""
    if not contract.vaulted:
        return values
    if seal is None:
        raise ValueError(f"{contract.dataset} has columns for the vault, and there is none")
    # what was sent counts where it cannot be read; else two spellings of one number would be two values
    values = values.with_columns(
        without(values[c.name], values[c.source].is_not_null()).alias(c.name)
        for c in contract.vaulted
        if c.semantic_type == "id_as_sent"
    )
    stored = values.with_columns(
        subjects.alias(name) for name, subjects in seal({c.name: values[c.name] for c in contract.vaulted}).items()
    )
    for column in contract.columns:
        text = values[column.name]
        if column.vaulted or column.semantic_type not in _FREE_TEXT or not text.str.contains(RUN).any():
            continue
        found = places.with_row_index("_id").with_columns(rule=pl.lit("ID_IN_TEXT"), detail=pl.lit(None, pl.String))
        issues.append(found.filter(text.str.contains(RUN)).with_columns(column_name=pl.lit(column.name)))
        stored = stored.with_columns(masked(text).alias(column.name))
    return stored


def _whose(contract: Contract, stored: pl.DataFrame, key: pl.Series) -> pl.Series:
    """Whom each row is about, so that a row that is set aside is found with its person; of other datasets the key."""
    people = [stored[c.name] for c in contract.vaulted if c.semantic_type == "citizen_id"]
    return people[0] if people else key


def key_hash(contract: Contract, values: pl.DataFrame) -> pl.Series:
    """The entity id of each row: a stable 63-bit hash of dataset and key in comparison form; null where a key cell is.

    ``values``: typed as they are stored. A key that is one column of the vault is its subject, which is random already.
    XXH3 is fixed by its specification, so ids are the same on every machine and in every year (docs/decisions/0003).
    """
    keyed = [contract.column(name) for name in contract.key]
    if len(keyed) == 1 and keyed[0].vaulted:
        return values[keyed[0].name].alias("_key")
    parts = [
        (values[c.name].cast(pl.String) if c.vaulted else key_form(c, values[c.name])).alias(c.name) for c in keyed
    ]
    frame = pl.DataFrame(parts)
    text = plh.concat_str(pl.lit(contract.dataset), *frame.columns, separator=_SEPARATOR)
    hashed = text.nchash.xxh3_64() & pl.lit(0x7FFF_FFFF_FFFF_FFFF, dtype=pl.UInt64)
    complete = pl.all_horizontal(pl.col(frame.columns).is_not_null())
    return frame.select(pl.when(complete).then(hashed.cast(pl.Int64))).to_series().alias("_key")


def value_hash(values: pl.DataFrame, frame: pl.DataFrame, bad: pl.DataFrame) -> pl.Series:
    """A stable hash of each row's typed values; a cell that could not be cleaned counts with its raw text."""
    texts: list[pl.Expr] = []
    for name, dtype in values.schema.items():
        column = pl.col(name)
        if dtype in (pl.Date, pl.Datetime, pl.Datetime("us", "UTC"), pl.Boolean):
            column = column.to_physical() if dtype != pl.Boolean else column.cast(pl.Int8)
        texts.append(column.cast(pl.String).fill_null(_NULL))
    joined = values.select(plh.concat_str(*texts, separator=_SEPARATOR).alias("text"))
    if bad.height:
        # only the rows concerned pay for their raw text
        rows = bad["_id"].unique().sort()
        names = sorted(c for c in frame.columns if not c.startswith("_") and not c.endswith(KIND))
        raw = frame[rows].select(plh.concat_str(pl.col(names).fill_null(_NULL), separator=_SEPARATOR)).to_series()
        joined = joined.with_columns(text=joined["text"].scatter(rows, joined["text"][rows] + raw))
    hashed: pl.Series = joined.select(plh.col("text").nchash.xxh3_64().reinterpret(signed=True)).to_series()
    return hashed.alias("_value")


def _sheet_names(pending: Sequence[Pending]) -> pl.DataFrame | None:
    """_sub, _sheet, sheet: names of the sheets of submissions that have several; None where none has."""
    named = [(p.no, lay.sheet, lay.name + "!") for p in pending if len(p.layouts) > 1 for lay in p.layouts]
    schema = {"_sub": pl.Int64, "_sheet": pl.Int16, "sheet": pl.String}
    return pl.DataFrame(named, schema=schema, orient="row").unique(["_sub", "_sheet"]) if named else None


def duplicates(rows: pl.DataFrame, sheets: pl.DataFrame | None = None) -> tuple[pl.Series, pl.DataFrame]:
    """Keys met more than once in a submission: (ids of rows that repeat an earlier one exactly, differing rows).

    ``sheets``: _sub, _sheet, sheet (what is put before the number of a row of that sheet).
    ``rows``: _id, _sub, _sheet, _row, _key, _value. Differing: _id, rows (text naming the row numbers of the group); an
    exact repeat is none of them, so that the answer is the same for a whole and for what is left of its parts.
    """
    keyed = rows.select("_id", *_ID, "_key", "_value").filter(pl.col("_key").is_not_null())
    # first by the key alone, which is quick
    twice = keyed.filter(pl.col("_key").is_duplicated()).filter(pl.struct("_sub", "_key").is_duplicated())
    if twice.is_empty():
        return pl.Series("_id", [], dtype=pl.Int64), pl.DataFrame(schema={"_id": pl.Int64, "rows": pl.String})
    first = pl.struct("_sub", "_key", "_value").is_first_distinct()
    repeated = twice.filter(first.not_())["_id"]
    differing = twice.filter(first).filter(pl.struct("_sub", "_key").is_duplicated())
    number = pl.col("_row").cast(pl.String)
    if sheets is not None:
        differing = differing.join(sheets, on=["_sub", "_sheet"], how="left", maintain_order="left")
        number = pl.col("sheet").fill_null("") + number
    numbers = number.head(20).str.join(", ").alias("rows")
    groups = differing.group_by("_sub", "_key", maintain_order=True).agg(numbers)
    return repeated, differing.join(groups, on=["_sub", "_key"], maintain_order="left").select("_id", "rows")


def _with_all_columns(contract: Contract, raw: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that no form of the batch has. A null kind: the row's form has no such column (others may)."""
    names = {c.options.get("sameAs", c.name) for c in contract.columns}
    absent = [n for n in sorted(names) if n not in raw.columns]
    return raw.with_columns(
        *[pl.lit(None, dtype=pl.String).alias(n) for n in absent],
        *[pl.lit(None, dtype=pl.UInt8).alias(n + KIND) for n in absent],
    )


def stated_units(places: pl.DataFrame, layouts: Sequence[tuple[int, SheetLayout]], column: str) -> pl.Series | None:
    """The unit that headers or titles state for a column at each place (_sub, _sheet); None where none does."""
    stated = [(n, layout.sheet, layout.units[column]) for n, layout in layouts if column in layout.units]
    if not stated:
        return None
    units = pl.DataFrame(stated, schema={"_sub": pl.Int64, "_sheet": pl.Int16, "unit": pl.String}, orient="row")
    joined = places.select("_sub", "_sheet").join(units, on=["_sub", "_sheet"], how="left", maintain_order="left")
    return joined["unit"]


def _with_dittos(
    contract: Contract, frame: pl.DataFrame, whole: bool
) -> tuple[pl.DataFrame, list[pl.DataFrame], dict[str, pl.Series]]:
    """Fill ditto marks from the row above in the same sheet, where the contract says so; a blank is no ditto mark (N11).

    Also the repairs, and for each column that has such marks the rows where nothing is known to stand above them."""
    repairs, lost = [], {}
    for column in contract.columns:
        name = column.name
        if not column.options.get("ditto") or name not in frame.columns:
            continue
        text = clean_text(frame[name]).str.to_lowercase()
        marks = (text.str.contains(_DITTO) & (frame[name + KIND] == int(Kind.TEXT))).fill_null(False)
        if not marks.any():
            continue
        above = [
            pl.when("_ditto").then(None).otherwise(value).forward_fill().over("_sub", "_sheet").alias(as_)
            for value, as_ in ((pl.col(name).fill_null(""), name), (pl.col(name + KIND), name + KIND))
        ]
        filled = frame.with_columns(_ditto=marks).select(above)
        lost[name] = marks & (filled[name].is_null() | (not whole))
        found = marks & ~lost[name]
        mended = frame.filter(found).select(_ID)
        repairs.append(
            mended.with_columns(column_name=pl.lit(name), rule=pl.lit("DITTO"), raw=frame.filter(found)[name])
        )
        frame = frame.with_columns(filled[c].zip_with(found, frame[c]) for c in (name, name + KIND))
    return frame, repairs, lost


def _with_defaults(
    contract: Contract, frame: pl.DataFrame, about: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Fill what the submission itself says (its sender's commune, its as-of date) where the cell is blank.

    A blank cell in a column that was sent is recorded as a repair; a column that the form does not have is not."""
    repairs = []
    for column in contract.columns:
        if column.default_from is None:
            continue
        given = {
            "sender": about["commune"],
            "senderCode": about["sender"],
            "asOf": about["as_of"].dt.to_string("%Y" if column.logical_type == "integer" else "%Y-%m-%d"),
        }[column.default_from]
        kind = Kind.DATE if column.logical_type == "date" else Kind.TEXT
        blank = pl.col(column.name + KIND) == int(Kind.BLANK)
        fill = blank.fill_null(True) & pl.lit(given).is_not_null()
        filled = (
            frame.filter(blank & pl.lit(given).is_not_null())
            .select(_ID)
            .with_columns(
                column_name=pl.lit(column.name), rule=pl.lit("DEFAULT_" + column.default_from.upper()), raw=pl.lit("")
            )
        )
        repairs.append(filled)
        frame = frame.with_columns(
            pl.when(fill).then(pl.lit(given)).otherwise(pl.col(column.name)).alias(column.name),
            pl.when(fill)
            .then(int(kind))
            .otherwise(pl.col(column.name + KIND))
            .cast(pl.UInt8)
            .alias(column.name + KIND),
        )
    return frame, repairs


def _of_sheets(frame: pl.DataFrame, pending: Sequence[Pending]) -> list[pl.DataFrame]:
    """Repairs that say which values come from the name or the title of their sheet."""
    found = [(p.no, lay.sheet, name, lay.name) for p in pending for lay in p.layouts for name in lay.given]
    if not found:
        return []
    schema = {"_sub": pl.Int64, "_sheet": pl.Int16, "column_name": pl.String, "raw": pl.String}
    given = pl.DataFrame(found, schema=schema, orient="row").with_columns(rule=pl.lit("DEFAULT_SHEET"))
    return [frame.select(_ID).join(given, on=["_sub", "_sheet"], maintain_order="left")]


def _of_form(column: Column, cleaned: Cleaned, absent: pl.Series | None) -> Cleaned:
    """What a form does not ask for is no blank: it has no value, and it is missing only where the contract needs it."""
    if absent is None:
        return cleaned
    if "blank" in column.options:
        cleaned.value = without(cleaned.value, absent)
    if column.options.get("headerOptional"):
        cleaned.issue = without(cleaned.issue, absent)
    return cleaned


def _out_of_scope(contract: Contract, rows: pl.DataFrame, pending: Sequence[Pending]) -> pl.Series:
    """Ids of rows that speak of what is not the sender's (a cell that cannot be read is not out of scope, it is bad)."""
    nothing = pl.Series("_id", [], dtype=pl.Int64)
    if contract.scope_column is None or contract.sender_scope == "all":
        return nothing
    pairs = [(p.no, code) for p in pending if p.sender.scope is not None for code in sorted(p.sender.scope)]
    bounded = [p.no for p in pending if p.sender.scope is not None]
    if not bounded:
        return nothing
    own = pl.DataFrame(pairs, schema={"_sub": pl.Int64, "code": pl.String}, orient="row")
    scoped = rows.select("_id", "_sub", code=contract.scope_column).filter(
        pl.col("code").is_not_null(), pl.col("_sub").is_in(bounded)
    )
    return scoped.join(own, on=["_sub", "code"], how="anti", maintain_order="left")["_id"]


def _unsaid(contract: Contract, rows: pl.DataFrame, bad: pl.DataFrame) -> pl.Series:
    """Ids of rows with nothing in the column without which a row says nothing (a cell that cannot be read is not nothing)."""
    if contract.unsaid_without is None:
        return pl.Series("_id", [], dtype=pl.Int64)
    unread = bad.filter(column_name=contract.unsaid_without)["_id"]
    return _without(rows.filter(pl.col(contract.unsaid_without).is_null()), unread)["_id"]


def _verdicts(
    contract: Contract,
    pending: Sequence[Pending],
    places: pl.DataFrame,
    bad: pl.DataFrame,
    failures: pl.DataFrame,
    doubled: pl.DataFrame,
    severities: Mapping[str, tuple[str, str | None]],
) -> pl.DataFrame:
    """All that is said about rows: cells that could not be read, rules that failed, keys that contradict."""
    columns = {check: column for check, (_, column) in severities.items()}
    said = [
        bad.select(
            "_id",
            "rule",
            "column_name",
            severity=pl.lit("error"),
            params=pl.when(pl.col("detail").is_null())
            .then(pl.lit("{}"))
            .otherwise(pl.struct("detail").struct.json_encode()),
        )
    ]
    if failures.height:
        said.append(
            failures.select(
                "_id",
                rule="check",
                column_name=pl.col("check").replace_strict(columns, return_dtype=pl.String),
                severity=pl.col("severity"),
                params=pl.lit("{}"),
            )
        )
    if doubled.height:
        said.append(
            doubled.select(
                "_id",
                rule=pl.lit("DUPLICATE_KEY"),
                column_name=pl.lit(contract.key[-1]),
                severity=pl.lit("error"),
                params=pl.struct("rows").struct.json_encode(),
            )
        )
    verdicts = pl.concat(said).join(places, on="_id", how="left", maintain_order="left")
    return with_address(verdicts, pending)


def _named_by_nobody(
    contract: Contract, pending: Sequence[Pending], frame: pl.DataFrame, kept: pl.DataFrame, verdicts: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take the key from records of a CSV that have an error and another number of cells than their header.

    A separator or a line break was lost, or is too many, so what stands under the key may be half a name or two (law 7).
    """
    if "_uneven" not in frame.columns or not frame["_uneven"].any():
        return kept, verdicts
    uneven = frame["_uneven"].fill_null(False).arg_true().cast(pl.Int64)
    shaken = pl.col("_id").is_in(uneven.implode()) & pl.col("_ok").not_() & pl.col("_key").is_not_null()
    told = kept.filter(shaken).select(
        "_id", *_ID, rule=pl.lit("MISPLACED"), column_name=pl.lit(contract.key[-1]), severity=pl.lit("error"),
        params=pl.lit("{}"),
    )  # fmt: skip
    kept = kept.with_columns(_key=pl.when(shaken).then(None).otherwise("_key"))
    return kept, pl.concat([verdicts, with_address(told, pending).select(verdicts.columns)])


def with_address(rows: pl.DataFrame, pending: Sequence[Pending]) -> pl.DataFrame:
    """Add ``address`` (``B17``; the row alone where the form has no such column) from _sub, _sheet, _row, column_name."""
    letters = pl.DataFrame(
        [(p.no, lay.sheet, name, letter) for p in pending for lay in p.layouts for name, letter in lay.columns.items()],
        schema={"_sub": pl.Int64, "_sheet": pl.Int16, "column_name": pl.String, "letter": pl.String},
        orient="row",
    )
    found = rows.join(letters, on=["_sub", "_sheet", "column_name"], how="left", maintain_order="left")
    row = pl.col("_row").cast(pl.String)
    first, last = (
        pl.col("letter").fill_null("").str.split_exact(":", 1).struct.field(f) for f in ("field_0", "field_1")
    )
    return found.with_columns(address=pl.concat_str(first, row, (":" + last + row).fill_null(""))).drop("letter")


def _without(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return rows.filter(pl.col("_id").is_in(ids.implode()).not_()) if ids.len() else rows


def _stack(frames: Sequence[pl.DataFrame], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return (
        pl.concat([f.select(schema.keys()).cast(pl.Schema(schema)) for f in frames])
        if frames
        else pl.DataFrame(schema=schema)
    )
