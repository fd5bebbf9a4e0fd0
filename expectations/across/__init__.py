"""Rules across submissions and datasets: SQL over the history tables, run while a publish is prepared.

Belongs here: what must hold between rows of several submissions, one ``<type>.sql`` for each type of
``schemas.expectation_types.ACROSS``. A rule sees the rows that are current under the open publish (``publish_to is
null``) and returns one line for each row that it could judge: ``entity_id``, ``valid_from``, ``failed``, ``params`` (what its
message may say). Where a norm that it needs is not known on the day, it says nothing. Of a ``dated`` type ``since/<type>.sql`` may
say from which day on its other datasets make it judge otherwise, where that is not the first on which they differ. Does not
belong here: keeping what was found (:mod:`assets.marts.findings`), the value of any norm (the dataset ``norms``).
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from itertools import takewhile
from pathlib import Path

from schemas.contract import AcrossRule, Contract
from schemas.migrate import quote

_HERE = Path(__file__).parent

_NORM = (
    "(select norm_code, applies_to, value, valid_from, least(valid_to, lead(valid_from) over "
    "(partition by norm_code, applies_to order by valid_from)) as valid_to from core.norms where publish_to is null)"
)
"""Norms, each until the next of its kind begins: one is in force on a day, however the older one was sent."""


def query(rule: AcrossRule, contract: Contract, since: date = date.min) -> str:
    """The rule's SQL; its parameters are the rule's ``kwargs`` and ``dataset``. What a rule may leave open: ``{table}`` the
    history of the contract's own, ``{name}`` the last column of its key, ``{column}`` the one that is blamed, ``{norm}`` the
    norms, ``{same key: a b}`` that rows a and b have the same key but for its last column, ``{label: c}`` what column c is
    called, as a literal; ``{since}`` the first day of the periods to judge, ``{since: t}`` whether a row of t is of these."""
    text = _text(rule.kind)
    for name, value in {
        "table": f"core.{quote(contract.dataset)}",
        "name": quote(contract.key[-1]),
        "column": quote(rule.column),
        "norm": _NORM,
        "since": f"date '{since}'",
    }.items():
        text = text.replace(f"{{{name}}}", value)
    text = re.sub(r"\{since: (\w+)\}", "true" if since == date.min else rf"\1.valid_from >= date '{since}'", text)
    text = re.sub(r"\{same key: (\w+) (\w+)\}", lambda m: _same_key(contract, m[1], m[2]), text)
    return re.sub(r"\{label: (\w+)\}", lambda m: _label(contract, m[1]), text)


def since(kind: str) -> str | None:
    """SQL of the day from which on a publish makes rules of a type judge otherwise, beside the days on which its datasets differ
    (no row or null: none); its parameter is ``publish``. None where these are all there is."""
    path = _HERE / "since" / f"{kind}.sql"
    return path.read_text(encoding="utf-8") if path.exists() else None


def says(kind: str) -> str:
    """What a rule looks for, in English: the comment at the head of its SQL."""
    lines = _text(kind).splitlines()
    return " ".join(line.removeprefix("-- ") for line in takewhile(lambda line: line.startswith("--"), lines))


@cache
def _text(kind: str) -> str:
    return (_HERE / f"{kind}.sql").read_text(encoding="utf-8")


def _same_key(contract: Contract, left: str, right: str) -> str:
    return " and ".join(f"{left}.{quote(c)} = {right}.{quote(c)}" for c in contract.key[:-1]) or "true"


def _label(contract: Contract, column: str) -> str:
    # a per cent sign would begin a parameter
    return "'" + contract.column(column).label.replace("'", "''").replace("%", "%%") + "'"
