"""The system's own tables.

Revision ID: 0001
Revises:
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the schemas and tables of ``0001_system.sql``."""
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0001_system.sql").read_text(encoding="utf-8"))
