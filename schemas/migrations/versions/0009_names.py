"""Rows whose name, not their key, says of which organisation or village they are.

Revision ID: 0009
Revises: 0008
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0009_names.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0009_names.sql").read_text(encoding="utf-8"))
