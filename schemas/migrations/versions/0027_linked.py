"""Lines of one transaction are linked at once.

Revision ID: 0027
Revises: 0026
"""

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0027_linked.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0027_linked.sql").read_text(encoding="utf-8"))
