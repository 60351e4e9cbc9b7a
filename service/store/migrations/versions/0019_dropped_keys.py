"""a data key that nothing needs is dropped; a permit is found by upstream's id alone"""

from alembic import op
import sqlalchemy as sa


revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("data_keys", sa.Column("dropped_at", sa.Text(), nullable=True))
    op.create_index("permits_upstream", "permits", ["upstream_id"])


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
