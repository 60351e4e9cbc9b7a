"""what rounds over the house came to last; indexes of what fails and of what nobody knows the outcome"""

from alembic import op
import sqlalchemy as sa


revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "standings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "place"),
    )
    failing = sa.text("fault IS NOT NULL")
    op.create_index("upkeep_failing", "upkeep", ["permit"], sqlite_where=failing, postgresql_where=failing)
    unsettled = sa.text("outcome IN ('dispatched','unknown')")
    op.create_index("dispatches_unsettled", "dispatches", ["permit"], sqlite_where=unsettled, postgresql_where=unsettled)


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
