"""Rules across submissions and datasets: SQL over the history tables, run while a publish is prepared.

Belongs here: what must hold between rows of several submissions, one ``<type>.sql`` for each type of
``schemas.expectation_types.ACROSS``. A rule sees the rows that are current under the open publish (``publish_to is
null``) and returns one line for each row that it could judge: ``entity_id``, ``valid_from``, ``failed``, ``params`` (what its
message may say). Does not belong here: keeping what was found (:mod:`assets.marts.findings`).
"""

from __future__ import annotations

from pathlib import Path

from schemas.contract import AcrossRule, Contract
from schemas.migrate import quote

_HERE = Path(__file__).parent


def query(rule: AcrossRule, contract: Contract) -> str:
    """The rule's SQL; its parameters are the rule's ``kwargs`` and ``dataset``. A rule that holds for several datasets writes
    ``{table}`` for the history of the contract's own, and ``{name}`` for the last column of its key."""
    text = (_HERE / f"{rule.kind}.sql").read_text(encoding="utf-8")
    return text.replace("{table}", f"core.{quote(contract.dataset)}").replace("{name}", quote(contract.key[-1]))
