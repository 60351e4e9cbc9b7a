"""dispatches: what went out to a signing service"""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('dispatches',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('permit', sa.Text(), nullable=False),
    sa.Column('batch', sa.Text(), nullable=True),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('backend', sa.Text(), nullable=False),
    sa.Column('sent_sha', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('process', sa.Text(), nullable=False),
    sa.Column('dispatched_at', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('returned_sha', sa.Text(), nullable=True),
    sa.Column('ended_at', sa.Text(), nullable=True),
    sa.CheckConstraint("outcome IN ('dispatched', 'returned', 'refused', 'unknown', 'resend_confirmed')", name='outcome_known'),
    sa.ForeignKeyConstraint(['batch'], ['batches.id'], ),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_dispatches_permit', 'dispatches', ['permit'])


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
