"""The vault, who is whom, and the audit log.

Revision ID: 0005
Revises: 0004
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what ``0005_identity.sql`` says."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0005_identity.sql").read_text(encoding="utf-8"))
