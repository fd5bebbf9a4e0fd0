"""What an asset function needs from the floor above, as a protocol: ``pipelines.flow.Pipeline`` is one.

The asset functions in the ``definitions`` modules take it from Dagster as the resource :data:`KEY`; so they stand
beside the plain functions that do the work, and this floor imports nothing of the one above.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import psycopg

from assets.intake.submissions import SenderInfo
from assets.marts.publish import Prepared
from assets.reference.units import Reference
from assets.staging.stage import Staged
from schemas.contract import Contract

KEY = "installation"
"""Name of the Dagster resource."""


class Installation(Protocol):
    """One installation, opened when first needed."""

    @property
    def settings(self) -> Any:
        """``inbox`` (fsspec URL), ``home`` (folder), ``settle_seconds``."""

    @property
    def contracts(self) -> dict[str, Contract]:
        """All contracts by dataset."""

    @property
    def reference(self) -> Reference:
        """Units, crosswalk, senders."""

    @property
    def senders(self) -> dict[str, SenderInfo]:
        """Senders by code."""

    def connection(self) -> AbstractContextManager[psycopg.Connection]:
        """A connection in autocommit; tables and reference lists are in step with what is loaded."""

    def receive(
        self, connection: psycopg.Connection, *, inbox: str | None = None, period: str | None = None
    ) -> tuple[list[str], list[str]]:
        """Write down what is new in the inbox; (delivery ids, files left because they are growing)."""

    def stage(self, connection: psycopg.Connection) -> Staged:
        """Read and stage every pending delivery."""

    def publish(self, connection: psycopg.Connection) -> tuple[Prepared, int | None]:
        """Merge and publish under the publisher's lock."""
