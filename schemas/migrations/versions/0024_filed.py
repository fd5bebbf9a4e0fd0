"""Decisions that came as files, in the audit log.

Revision ID: 0024
Revises: 0023
"""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0024_filed.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0024_filed.sql").read_text(encoding="utf-8"))
