"""Indicators, their values, and the log of submissions.

Revision ID: 0011
Revises: 0010
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0011_indicators.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0011_indicators.sql").read_text(encoding="utf-8"))
