"""the gate before the register: when numbering was closed, why, and who opened it again"""

from alembic import op
import sqlalchemy as sa


revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "closures",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("cause IN ('restored', 'went_back')", name="cause_known"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
