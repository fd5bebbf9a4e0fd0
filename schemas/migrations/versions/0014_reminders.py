"""Reminders to senders and alerts to operators.

Revision ID: 0014
Revises: 0013
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0014_reminders.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0014_reminders.sql").read_text(encoding="utf-8"))
