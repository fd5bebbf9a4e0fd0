"""Backups that were made.

Revision ID: 0016
Revises: 0015
"""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0016_backups.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0016_backups.sql").read_text(encoding="utf-8"))
