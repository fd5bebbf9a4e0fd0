"""Results of rules across submissions by period.

Revision ID: 0012
Revises: 0011
"""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0012_rule_counts.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0012_rule_counts.sql").read_text(encoding="utf-8"))
