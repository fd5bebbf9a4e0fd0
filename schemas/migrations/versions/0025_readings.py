"""Each reading of the vault in the audit log.

Revision ID: 0025
Revises: 0024
"""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0025_readings.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0025_readings.sql").read_text(encoding="utf-8"))
