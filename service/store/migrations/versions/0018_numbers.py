"""a permit is found by its number: a renewal names the one that it renews"""

from alembic import op


revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_index("permits_number", "permits", ["number"])


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
