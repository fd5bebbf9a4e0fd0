"""The change feed.

Revision ID: 0023
Revises: 0022
"""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0023_feed.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0023_feed.sql").read_text(encoding="utf-8"))
