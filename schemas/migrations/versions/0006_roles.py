"""Roles of readers, and what is kept of what was destroyed.

Revision ID: 0006
Revises: 0005
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0006_roles.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0006_roles.sql").read_text(encoding="utf-8"))
