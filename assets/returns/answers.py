"""The answer to a submission: what was received, accepted, quarantined, set aside or held, and which cell to mend.

Made from the ledger alone. Texts are Vietnamese and come from the catalogue of messages (:mod:`schemas.messages`), the
contract's rules, addresses and the sender's own cells; never from a database message.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.intake.stores import open_store
from expectations.suite import check_of
from schemas import messages
from schemas.codes import CODES
from schemas.contract import AcrossRule, Contract
from schemas.grid import address_of
from schemas.messages import Words
from schemas.migrate import quote
from schemas.semantic.explain import worded

_SUBMISSION = (
    "select u.*, t.d00_state, d.origin, d.size, d.destroyed_at, d.destroyed_why, "
    "p.submission_id as predecessor "
    "from intake.submission u join intake.state t using (state) join intake.delivery d using (delivery_id) "
    "left join core.standing s on s.submission_no = u.submission_no and s.publish_to is null "
    "left join intake.submission p on p.submission_no = s.predecessor_no where u.submission_id = %s"
)
_ROWS = (
    "select v.sheet, v.row, v.rule, v.column_name, v.severity, v.address, v.params, q.raw, "
    "exists (select from intake.decision d where d.kind = 'waive' and d.submission_id = %s and d.sheet = v.sheet "
    "and d.row = v.row and d.rule = v.rule) as waived, "
    "exists (select from core.link l where l.assessment_no = v.assessment_no and l.sheet = v.sheet and l.row = v.row "
    "and l.publish_to is null) as known "
    "from staging.verdict v left join staging.quarantine q using (assessment_no, sheet, row) "
    "where v.assessment_no = %s order by v.sheet, v.row, v.severity, v.rule"
)
_FINDINGS = (
    "select r._sheet as sheet, r._row as row, f.rule, f.params from core.finding f "
    "join staging.{rows} r on r._assessment = %(assessment)s and r._key = f.entity_id and r._ok "
    "where f.dataset = %(dataset)s and f.publish_to is null "
    "and (not %(by_period)s or f.valid_from = %(period_first)s) order by 1, 2, 3"
)
"""What rules across submissions say of the rows of one that is in force."""
_REPAIRS = "select sheet, row, column_name, rule, raw from staging.repair where assessment_no = %s order by sheet, row, column_name"


class NoSuchSubmission(Exception):
    """No submission has that id."""


def answer(connection: psycopg.Connection, contracts: Mapping[str, Contract], submission_id: str) -> dict[str, Any]:
    """Everything that there is to say about a submission; raises :class:`NoSuchSubmission`.

    Keys: submission_id, dataset, sender, period, as_of, as_of_source, received_at, file, origin, sha256, size, state,
    d00_state, state_label, destroyed {at, why} of its bytes (None where they are kept), predecessor, counts {read, accepted,
    quarantined, set_aside, flagged}, set_aside {reason: n}, problems [{code, severity, message, remedy}], rows [{sheet, row,
    address, column, rule, severity, value, message, remedy, waived, known}], repairs [{sheet, row,
    address, column, label, rule, raw}].
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_SUBMISSION, [submission_id]).fetchone()
        if found is None:
            raise NoSuchSubmission(f"there is no submission {submission_id}")
        rows = cursor.execute(_ROWS, [submission_id, found["assessment_no"]]).fetchall()
        repairs = cursor.execute(_REPAIRS, [found["assessment_no"]]).fetchall()
        contract = contracts.get(found["dataset"] or "")
        findings: list[dict[str, Any]] = []
        if contract is not None and contract.across and found["state"] in ("accepted", "partly"):
            findings = cursor.execute(
                _FINDINGS.format(rows=quote(contract.dataset + "_rows")),
                {
                    "assessment": found["assessment_no"],
                    "dataset": contract.dataset,
                    "by_period": contract.valid_time == "period",
                    "period_first": found["period_first"],
                },
            ).fetchall()
        layouts = cursor.execute(
            "select layout from intake.assessment where assessment_no = %s", [found["assessment_no"]]
        ).fetchone()
    layout = layouts["layout"] if layouts else []
    sheets = {lay["sheet"]: lay["name"] for lay in layout}
    letters = {lay["sheet"]: lay["columns"] for lay in layout}
    sources = {c.name: c.source for c in contract.columns} if contract else {}
    labels = {c.name: c.label for c in contract.columns} if contract else {}
    told = [_row_text(contract, sheets, r, found) for r in rows]
    if contract is not None:
        told += [_finding_text(contract, layout, sheets, f) for f in findings]
    return {
        "submission_id": found["submission_id"],
        "dataset": found["dataset"],
        "sender": found["sender"],
        "period": found["period"],
        "as_of": found["as_of"] and found["as_of"].isoformat(),
        "as_of_source": found["as_of_source"],
        "received_at": found["received_at"].isoformat(),
        "file": found["file_name"],
        "origin": found["origin"],
        "sha256": found["sha256"],
        "size": found["size"],
        "state": found["state"],
        "d00_state": found["d00_state"],
        "state_label": messages.text("state", found["state"]),
        "destroyed": found["destroyed_at"]
        and {"at": found["destroyed_at"].date().isoformat(), "why": found["destroyed_why"]},
        "predecessor": found["predecessor"],
        "counts": {
            "read": found["rows_read"],
            "accepted": found["rows_accepted"],
            "quarantined": found["rows_quarantined"],
            "set_aside": found["rows_set_aside"],
            "flagged": found["rows_flagged"],
        },
        "set_aside": found["set_aside"],
        "problems": [_with_most(problem_text(p), told) for p in found["problems"]],
        "rows": told,
        "repairs": [
            {
                "sheet": sheets.get(r["sheet"], ""),
                "sheet_no": r["sheet"],
                "row": r["row"],
                "address": address_of(letters.get(r["sheet"], {}).get(sources.get(r["column_name"], ""), ""), r["row"]),
                "column": r["column_name"],
                "label": labels.get(r["column_name"], r["column_name"]),
                "rule": r["rule"],
                "raw": r["raw"],
            }
            for r in repairs
        ],
    }


def _with_most(problem: dict[str, Any], told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of too many bad rows, say what is wrong with most of them: often it is one thing, such as a list of another day."""
    most = Counter((r["rule"], r["column"]) for r in told if r["severity"] == "error").most_common(1)
    if problem["code"] != "TOO_MANY_BAD_ROWS" or not most:
        return problem
    first = next(r for r in told if (r["rule"], r["column"]) == most[0][0])
    text = messages.text("answer", "most", rows=most[0][1], address=first["address"], message=first["message"])
    return {**problem, "message": f"{problem['message']} {text}"}


def problem_text(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem of a submission in words."""
    code = CODES[problem["code"]]
    params = problem.get("params", {})
    form = "alone" if code.code == "MISSING_HEADER" and not params.get("nearest") else ""
    return {
        "code": code.code,
        "severity": code.severity,
        "message": code.text(form, **params),
        "remedy": code.advice(form, **params),
        "params": params,
    }


def _row_text(
    contract: Contract | None, sheets: Mapping[int, str], row: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    column = contract.find(row["column_name"]) if contract else None
    value = (row["raw"] or {}).get(column.source if column else "")
    params = row["params"]
    words = {
        "label": column.label if column else row["column_name"],
        "value": value or "",
        "address": row["address"],
        "candidates": params.get("detail") or "",
        "key": " + ".join(c.label for c in contract.columns if c.key_position is not None) if contract else "",
        **params,
    }
    if row["rule"] in CODES:
        if column is not None:
            message, remedy = worded(column, row["rule"], words, about)
        else:
            message, remedy = CODES[row["rule"]].text(**words), CODES[row["rule"]].advice(**words)
        if row["known"] and column is not None and column.key_position is not None:
            message = f"{message} {messages.text('answer', 'known')}"
    else:
        check = check_of(contract, row["rule"]) if contract else None
        message, remedy = (check.message, check.remedy) if check else (row["rule"], "")
    return {
        "sheet": sheets.get(row["sheet"], ""),
        "sheet_no": row["sheet"],
        "row": row["row"],
        "address": row["address"],
        "column": row["column_name"],
        "label": words["label"],
        "rule": row["rule"],
        "severity": row["severity"],
        "value": value,
        "message": message,
        "remedy": remedy,
        "waived": row["waived"],
        "known": row["known"],
    }


def _finding_text(
    contract: Contract, layout: Sequence[Mapping[str, Any]], sheets: Mapping[int, str], found: Mapping[str, Any]
) -> dict[str, Any]:
    """What a rule across submissions says of a row: a flag, with the cell that it blames."""
    rule = next((r for r in contract.across if r.id == found["rule"]), None)
    rule = rule or AcrossRule(found["rule"], "", contract.key[-1], {}, found["rule"], "")
    column = contract.column(rule.column)
    letters: Mapping[str, str] = next((lay["columns"] for lay in layout if lay["sheet"] == found["sheet"]), {})
    address = address_of(letters.get(column.source, ""), found["row"])
    words = Words(found["params"], address=address, label=column.label)
    return {
        "sheet": sheets.get(found["sheet"], ""),
        "sheet_no": found["sheet"],
        "row": found["row"],
        "address": address,
        "column": column.name,
        "label": column.label,
        "rule": rule.id,
        "severity": "warning",
        "value": str(found["params"].get("value", "")),
        "message": rule.message.format_map(words),
        "remedy": rule.remedy.format_map(words),
        "waived": False,
        "known": True,
    }


def write_answers(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    root: str | Path,
    names: Sequence[str] | None = None,
) -> list[str]:
    """Write the answers of submissions as JSON under ``<root>/<period>/<sender>/<submission>.json``; their ids.

    ``root``: any fsspec URL. ``names``: ids; without them all whose state changed since the boards were last told. A file appears
    whole or not at all; writing again gives the same file.
    """
    fs, base = open_store(str(root))
    due = connection.execute(
        "select submission_id, period, sender from intake.submission "
        "where case when %(names)s::text[] is null then announced_state is distinct from state "
        "else submission_id = any (%(names)s) end order by submission_no",
        {"names": None if names is None else list(names)},
    ).fetchall()
    for name, period, sender in due:
        folder, _, file = f"{base}/{place_of(period, sender, name)}.json".rpartition("/")
        fs.makedirs(folder, exist_ok=True)
        text = json.dumps(answer(connection, contracts, name), ensure_ascii=False, indent=1, default=str)
        fs.pipe_file(f"{folder}/.{file}", text.encode())
        fs.mv(f"{folder}/.{file}", f"{folder}/{file}")
    return [r[0] for r in due]


def place_of(period: str | None, sender: str | None, submission_id: str) -> str:
    """Where what is said about a submission lies in its folder, without the ending: <period>/<sender>/<submission>."""
    return f"{folder_name(period)}/{folder_name(sender)}/{submission_id}"


def folder_name(part: str | None) -> str:
    """A folder name out of what a sender's path said: letters, digits, dash and underscore, never a way out."""
    return "".join(ch if ch.isalnum() or ch in "-_" else "_" for ch in part or "") or "_"
