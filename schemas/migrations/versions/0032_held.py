"""Readers of the vault hold nobody up who writes into the audit log.

Revision ID: 0032
Revises: 0031
"""

from pathlib import Path

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0032_held.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0032_held.sql").read_text(encoding="utf-8"))
