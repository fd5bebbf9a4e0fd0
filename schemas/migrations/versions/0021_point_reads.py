"""Indexes for the point reads of apps.

Revision ID: 0021
Revises: 0020
"""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0021_point_reads.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0021_point_reads.sql").read_text(encoding="utf-8"))
