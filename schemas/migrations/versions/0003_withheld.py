"""Deliveries whose bytes are not kept.

Revision ID: 0003
Revises: 0002
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0003_withheld.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0003_withheld.sql").read_text(encoding="utf-8"))
