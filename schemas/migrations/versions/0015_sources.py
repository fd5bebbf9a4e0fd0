"""What is taken from sources.

Revision ID: 0015
Revises: 0014
"""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0015_sources.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0015_sources.sql").read_text(encoding="utf-8"))
