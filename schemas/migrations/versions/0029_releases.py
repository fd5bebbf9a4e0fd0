"""What releases of the open-data set told.

Revision ID: 0029
Revises: 0028
"""

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0029_releases.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0029_releases.sql").read_text(encoding="utf-8"))
