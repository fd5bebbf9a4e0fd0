"""The audit log as a chain; tickets of the vault.

Revision ID: 0019
Revises: 0018
"""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0019_audit.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0019_audit.sql").read_text(encoding="utf-8"))
