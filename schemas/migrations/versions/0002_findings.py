"""What rules across submissions and datasets have found.

Revision ID: 0002
Revises: 0001
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the view of ``0002_findings.sql``."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0002_findings.sql").read_text(encoding="utf-8"))
