"""what applicants are told: one row for each message and channel, without address and text; how far the journal was followed"""

from alembic import op
import sqlalchemy as sa


revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("permit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('ready', 'issued', 'returned', 'expiring')", name="kind_known"),
        sa.CheckConstraint("channel IN ('whatsapp', 'sms', 'email')", name="channel_known"),
        sa.CheckConstraint(
            "outcome IN ('waiting', 'sent', 'refused', 'given_up', 'no_address', 'moot')", name="outcome_known"
        ),
        sa.ForeignKeyConstraint(
            ["permit"],
            ["permits.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notices_permit", "notices", ["permit"])
    waiting = sa.text("outcome = 'waiting'")
    op.create_index("notices_due", "notices", ["due_at", "id"], sqlite_where=waiting, postgresql_where=waiting)
    failed = sa.text("outcome IN ('refused','given_up')")
    op.create_index("notices_failed", "notices", ["office", "ended_at"], sqlite_where=failed, postgresql_where=failed)
    op.create_table(
        "notices_followed",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
