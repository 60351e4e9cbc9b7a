"""what the head's aide notes on a case, and the indexes of the work lists"""

from alembic import op
import sqlalchemy as sa


revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('case_notes',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('permit', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('first', sa.Integer(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('withdrawn_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account'], ['accounts.id'], ),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_case_notes_permit', 'case_notes', ['permit'])
    first = sa.text("(first = 1 AND withdrawn_at IS NULL)")
    op.create_index('case_notes_first', 'case_notes', ['permit'], sqlite_where=first, postgresql_where=first)
    at_desk = sa.text("queue = 'person'")
    op.create_index('permits_at_desk', 'permits', ['office', 'pin', 'position'], sqlite_where=at_desk, postgresql_where=at_desk)
    stuck = sa.text("(parked_from IS NOT NULL OR state IN ('parked','returned'))")
    op.create_index('permits_stuck', 'permits', ['office'], sqlite_where=stuck, postgresql_where=stuck)


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
