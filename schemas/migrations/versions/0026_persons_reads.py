"""Reads of one person's rows.

Revision ID: 0026
Revises: 0025
"""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0026_persons_reads.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0026_persons_reads.sql").read_text(encoding="utf-8"))
