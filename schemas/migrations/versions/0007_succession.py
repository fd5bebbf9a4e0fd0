"""What came of organisations and villages that were merged, split or renamed.

Revision ID: 0007
Revises: 0006
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0007_succession.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0007_succession.sql").read_text(encoding="utf-8"))
