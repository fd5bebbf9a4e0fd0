"""Publishes for readers.

Revision ID: 0018
Revises: 0017
"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0018_exports.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0018_exports.sql").read_text(encoding="utf-8"))
