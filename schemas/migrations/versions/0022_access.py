"""Roles of readers, and who was granted what until when.

Revision ID: 0022
Revises: 0021
"""

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0022_access.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0022_access.sql").read_text(encoding="utf-8"))
