"""What waits for a run: files that the ledger does not know, deliveries not read, states not told to anybody.

Not here: who asks (``pipelines.sensors``) and the work itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import psycopg

from .inbox import delivery_id, digest_of, look, open_arrived
from .ledger import looked_at, unchanged
from .stores import is_local


@dataclass(frozen=True)
class Waiting:
    """Ids of what waits, in order; ``growing`` counts files left because they are still being written."""

    unknown: tuple[str, ...]
    unread: tuple[str, ...]
    untold: tuple[str, ...]
    growing: int

    @property
    def digest(self) -> str:
        """A name for this set, the same however often and in whatever order it is seen; '' where nothing waits."""
        ids = sorted({*self.unknown, *self.unread, *self.untold})
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16] if ids else ""


def waiting(connection: psycopg.Connection, inbox: str, settle_seconds: float) -> Waiting:
    """Look through the inbox and the ledger.

    A file is known by what makes it a delivery (the hash of its bytes, place, statements, arrival), so its bytes are
    hashed; a time or size that lies hides no change. A state that comes before the publish is nobody's to tell yet.
    """
    seen = look(inbox, settle_seconds=settle_seconds)
    # a store elsewhere says itself when a file was put there: what it says is believed, or each look would fetch every file
    taken = unchanged(connection, inbox, seen.arrived)
    ids, tags = [], {}
    for item in seen.arrived:
        if item.path in taken:
            continue
        with open_arrived(inbox, item) as source:
            ids.append(delivery_id(digest_of(source), item))
            tags[ids[-1]] = item.tag
    known = {
        r[0] for r in connection.execute("select delivery_id from intake.delivery where delivery_id = any (%s)", [ids])
    }
    if not is_local(inbox):
        looked_at(connection, {name: tag for name, tag in tags.items() if name in known})
    unread = connection.execute("select delivery_id from intake.delivery where state = 'received' order by 1")
    untold = connection.execute(
        "select submission_id || ' ' || state from intake.submission "
        "where announced_state is distinct from state and state <> 'staged' order by 1"
    )
    return Waiting(
        tuple(sorted(set(ids) - known)), tuple(r[0] for r in unread), tuple(r[0] for r in untold), len(seen.growing)
    )
