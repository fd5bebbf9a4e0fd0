"""The feed of one's own.

Revision ID: 0030
Revises: 0029
"""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0030_own_feed.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0030_own_feed.sql").read_text(encoding="utf-8"))
