"""The audit log as a chain; tickets of the vault.

Revision ID: 0020
Revises: 0019
"""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0020_audit.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0020_audit.sql").read_text(encoding="utf-8"))
