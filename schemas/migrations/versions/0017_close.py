"""Periods that are closed.

Revision ID: 0017
Revises: 0016
"""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0017_close.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0017_close.sql").read_text(encoding="utf-8"))
