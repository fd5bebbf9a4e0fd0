"""Columns that nothing reads leave the tables of staff.

Revision ID: 0010
Revises: 0009
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0010_minimised.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0010_minimised.sql").read_text(encoding="utf-8"))
