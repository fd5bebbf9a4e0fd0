"""Linkage of persons: which records are about one person, where the personal ID alone does not say it. Pure: frames in,
frames out.

Belongs here: candidate pairs (:mod:`.candidates`), the frozen model and its scores (:mod:`.model`), the rules and laws by
which records are joined (:mod:`.joining`), offline training (:mod:`.train`). Does not belong here: the database, Dagster,
the registry of entity ids, who may see a clear value. Personal values are in memory only, and in no log or error text.
"""

from __future__ import annotations

from .joining import DECISIONS, RECORDS, Linked, link

__all__ = ["DECISIONS", "RECORDS", "Linked", "link"]
