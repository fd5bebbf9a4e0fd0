"""``lienthong indicators`` and ``lienthong trace I26``: the answers as data and on the screen.

Here: layout, sparklines. Not here: the questions to the warehouse (:mod:`assets.marts.indicators.read`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from schemas.grid import address_of

from .cli_output import Screen, plural, shown
from .report import Unclear

if TYPE_CHECKING:
    import psycopg

    from assets.marts.indicators.catalogue import Indicator
    from assets.marts.indicators.read import Part

_BARS = "▁▂▃▄▅▆▇█"
_LAST = 12
"""Periods of a sparkline."""
_ROWS = 80


def spark(values: Sequence[Decimal | None]) -> str:
    """A line of bars, the least the lowest and the greatest the highest; a blank where there is no value."""
    there = [v for v in values if v is not None]
    if not there:
        return ""
    low, span = min(there), max(there) - min(there)
    steps = len(_BARS) - 1
    return "".join(
        " " if v is None else _BARS[steps // 2 if not span else int((v - low) * steps / span)] for v in values
    )  # fmt: skip


def known(indicators: Mapping[str, Indicator], code: str) -> Indicator:
    """The indicator of a code; raises :class:`Unclear`."""
    if code.upper() not in indicators:
        raise Unclear(f"there is no indicator {code}; there are {min(indicators)} to {max(indicators)}")
    return indicators[code.upper()]


def board(
    connection: psycopg.Connection, code: str | None, unit: str | None, period: str | None
) -> list[dict[str, Any]]:
    """The figures asked for, each with its ``series``; of one indicator also ``units``, ``missing`` and ``path``."""
    from assets.marts.indicators import read

    found = read.newest(connection, code, unit, period)
    if (unit or period) and not any(v["unit"] for v in found):
        raise Unclear(f"there is no value of {code or 'any indicator'} for {' in '.join(filter(None, (unit, period)))}")
    history = read.series(connection, found)
    for value in found:
        key = tuple(value[k] for k in ("indicator", "variant", "unit_kind", "unit", "period_kind"))
        value["series"] = history.get(key, [])
        if code is not None and value["unit"]:
            value["units"] = read.by_unit(connection, value) if unit is None else []
            value["missing"] = read.missing(connection, value)
            value["path"] = read.path(connection, value)
    return found


def show_board(screen: Screen, found: Sequence[Mapping[str, Any]], call: str) -> None:
    """Print the figures, a line each."""
    rows = [
        [
            _name(v), v["name_vi"] if not v["variant"] else f"  {v['name_vi']}", _number(v["value"]), v["measured_in"],
            _target(v), v["status"], v["period"], spark([p["value"] for p in v["series"][-_LAST:]]), _of(v),
        ]
        for v in found
    ]  # fmt: skip
    columns = ["!Code", "Indicator", ">value", "", ">target", "!Status", "!Period", "!Course", "!Of"]
    unit = next((v for v in found if v["unit"]), None)
    title = f"{unit['unit_name']} ({unit['unit']})" if unit else ""
    screen.table(columns, rows, title=title)
    if unit is None:
        screen.say("No indicator has a value yet.")
    else:
        screen.commands([
            (f"{call} indicators {unit['indicator']}", "by unit, with who has not reported"),
            (f"{call} trace {unit['indicator']} --unit {_unit(unit)} --period {unit['period']}", "what it is made of"),
        ])  # fmt: skip


def show_one(screen: Screen, found: Sequence[Mapping[str, Any]], call: str) -> None:
    """Print one indicator: its figures, then units, path and who is missing."""
    first = found[0]
    screen.say(f"{first['indicator']} {first['name_vi']} – {first['name_en']}", style="bold")
    screen.say(f"{first['formula']} [{first['source']}]")
    show_board(screen, found, call)
    for value in found:
        rows = [
            [u["unit"], u["unit_name"], u["unit_kind"].lower(), _number(u["value"]), u["status"], _of(u)]
            for u in value.get("units", ())
            if u["unit_kind"] != "PROVINCE"
        ]
        if rows:
            columns = ["!Unit", "", "!Kind", ">value", "!Status", "!Of"]
            screen.table(columns, rows[:_ROWS], title=f"{_name(value)} by unit, {value['period']}")
            _rest(screen, rows)
        way = value.get("path", ())
        if way:
            lines = [[p["quarter"], _number(p["planned"]), _number(p["actual"])] for p in way]
            title = f"{_name(value)}: the way to {_number(way[0]['target'])} on {way[0]['target_due']}"
            screen.table(["!Quarter", ">planned", ">actual"], lines, title=title)
    gone = first.get("missing", ())
    if gone:
        lines = [[m["dataset"], m["unit"], m["unit_name"], m["sent_period"], m["due_on"], m["reason"]] for m in gone]
        title = f"Not in it: {plural(len(lines), 'list')} of {first['period']}"
        screen.table(["!Dataset", "!Unit", "", "!Period", "!Due", "!Why"], lines[:_ROWS], title=title)
        _rest(screen, lines)


def _rest(screen: Screen, rows: Sequence[Any]) -> None:
    if len(rows) > _ROWS:
        screen.say(f"  … and {len(rows) - _ROWS} more; --json has all")


def _name(value: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (value["indicator"], value["variant"])))


def _unit(value: Mapping[str, Any]) -> str:
    """The unit as the command takes it: the code of a bloc or field may be that of an organisation too."""
    return f"{value['unit_kind']}:{value['unit']}" if value["unit_kind"] in ("BLOC", "FIELD") else str(value["unit"])


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,f}"


def _target(value: Mapping[str, Any]) -> str:
    due = f" by {value['target_due']}" if value["target_due"] else ""
    return f"{_number(value['target'])}{due}" if value["target"] is not None else "no target set"


def _of(value: Mapping[str, Any]) -> str:
    if value["numerator"] is None:
        return ""
    of = f" / {_number(value['denominator'])}" if value["denominator"] is not None else ""
    unknown = f" ({_number(value['unknown'])} unknown)" if value["unknown"] else ""
    return f"{_number(value['numerator'])}{of}{unknown}"


# ------------------------------------------------------------------------------------------------------ the way back


def described(made: Sequence[Part]) -> list[dict[str, Any]]:
    """Parts as data: dataset, entity_id, submission_id, numerator, denominator, unknown, versions [{valid_from, valid_to, sources
    [{origin, sheet, row, cells, sender, submission_id, …}]}]. Values of columns are left to ``trace DATASET --id``."""
    return [
        {
            "dataset": part.dataset,
            "entity_id": part.entity_id,
            "submission_id": part.submission_id,
            "numerator": part.numerator,
            "denominator": part.denominator,
            "unknown": part.unknown,
            "versions": [
                {
                    "valid_from": v.valid_from,
                    "valid_to": v.valid_to,
                    "carried_since": v.carried_since,
                    "sources": v.sources,
                }
                for v in part.versions
            ],
        }
        for part in made
    ]


def show_parts(
    screen: Screen,
    value: Mapping[str, Any],
    norms: Sequence[Mapping[str, Any]],
    made: Sequence[Mapping[str, Any]],
    call: str,
    limit: int,
) -> None:
    """Print a value and what it is made of, each part with the cells of its first source."""
    name = f"{value['unit_name'] or ''} ({value['unit']})".strip()
    screen.say(f"{_name(value)} {value['name_vi']}, {name}, {value['period']} (as of {value['as_of']})", style="bold")
    screen.say(
        f"{_number(value['value']) or 'no value'} {value['measured_in']} = {_of(value)}; target: {_target(value)}; "
        f"{value['status']}"
    )
    screen.say(value["formula"])
    if norms:
        lines = [[n["norm_code"], n["applies_to"], _number(n["value"]), n["legal_source"]] for n in norms]
        screen.table(["!Norm", "!For", ">value", "By"], lines)
    rows = []
    for part in made[:limit]:
        source = next((s for v in part["versions"] for s in v["sources"]), None)
        rows.append([
            part["dataset"], part["entity_id"] or part["submission_id"] or "", _number(part["numerator"]),
            _number(part["denominator"]), *(_place(source) if source else ("", "", "")),
        ])  # fmt: skip
    screen.table(["!Dataset", "!Id", ">numerator", ">denominator", "File", "!Sheet", "!Cells"], rows)
    if len(made) > limit:
        screen.say(f"  … and {len(made) - limit} more; --limit {len(made)} shows all, --json too")
    entity = next((p for p in made if p["entity_id"] is not None), None)
    submission = next((p for p in made if p["submission_id"] is not None), None)
    if entity is not None:
        screen.commands(
            [(f"{call} trace {entity['dataset']} --id {entity['entity_id']}", "with the texts of the cells")]
        )
    elif submission is not None:
        screen.commands([(f"{call} show {submission['submission_id']}", "the submission")])


def _place(source: Mapping[str, Any]) -> tuple[str, str, str]:
    """File, sheet and the cells of a source's row, from the first to the last."""
    addresses = [a for a in source["cells"].values() if a and a[-1].isdigit()]
    ends = sorted({one for a in addresses for one in a.split(":")}, key=lambda a: (len(a), a))
    cells = "" if not ends else ends[0] if len(ends) == 1 else f"{ends[0]}:{ends[-1]}"
    return source["origin"], shown(source["sheet"]), cells or address_of("row ", source["row"])
