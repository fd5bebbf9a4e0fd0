"""Entities that are never derived again.

Revision ID: 0008
Revises: 0007
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0008_erasure.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0008_erasure.sql").read_text(encoding="utf-8"))
