"""requests for one-time codes, which a signing process passes on"""

from alembic import op
import sqlalchemy as sa


revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('code_requests',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('official', sa.Text(), nullable=False),
    sa.Column('documents', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.Text(), nullable=True),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed')", name='state_known'),
    sa.ForeignKeyConstraint(['official'], ['officials.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('codes_of_official', 'code_requests', ['official', 'asked_at'])
    op.create_index('ix_code_requests_state', 'code_requests', ['state'])


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
