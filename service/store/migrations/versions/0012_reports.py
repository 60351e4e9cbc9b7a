"""what citizens report: a paper and the register that do not match; an index of released permits alone"""

from alembic import op
import sqlalchemy as sa


revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("permit", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("differs", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('new', 'seen', 'answered', 'closed')", name="state_known"),
        sa.ForeignKeyConstraint(
            ["by"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["permit"],
            ["permits.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reports_of_office", "reports", ["office", "state", "at"])
    op.create_index("reports_to_erase", "reports", ["erased_at", "at"])
    by_code = [sa.text("lower(code)")]
    op.create_index("permits_released_code", "permits", by_code, unique=True, sqlite_where=RELEASED, postgresql_where=RELEASED)


RELEASED = sa.text("state IN ('in_force', 'replaced', 'revoked', 'suspended')")


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
