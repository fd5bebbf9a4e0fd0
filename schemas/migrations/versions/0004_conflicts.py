"""What senders say beside the value that stands.

Revision ID: 0004
Revises: 0003
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of ``0004_conflicts.sql``."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0004_conflicts.sql").read_text(encoding="utf-8"))
