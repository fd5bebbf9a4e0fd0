"""What is expected from whom until when.

Revision ID: 0013
Revises: 0012
"""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0013_due.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0013_due.sql").read_text(encoding="utf-8"))
