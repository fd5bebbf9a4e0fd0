"""Advisory locks are for the pipeline alone.

Revision ID: 0031
Revises: 0030
"""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0031_locks.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0031_locks.sql").read_text(encoding="utf-8"))
