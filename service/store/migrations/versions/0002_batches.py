"""batches: one authorisation for many documents, and the signing processes that take part"""

from alembic import op
import sqlalchemy as sa


revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('signers',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('host_key', sa.Text(), nullable=False),
    sa.Column('public_key', sa.Text(), nullable=False),
    sa.Column('announced_at', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.Text(), nullable=False),
    sa.Column('signature', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('batches',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('official', sa.Text(), nullable=False),
    sa.Column('certificate_sha256', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('prover', sa.Text(), nullable=True),
    sa.Column('vouch', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('open', 'proving', 'running', 'paused', 'refused', 'expired', 'stopped', 'done')", name='state_known'),
    sa.ForeignKeyConstraint(['official'], ['officials.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_batches_office', 'batches', ['office'], unique=False)
    op.create_index('ix_batches_state', 'batches', ['state'], unique=False)
    op.create_table('batch_items',
    sa.Column('batch', sa.Text(), nullable=False),
    sa.Column('permit', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('seen_sha', sa.Text(), nullable=False),
    sa.Column('ordered', sa.Integer(), nullable=False),
    sa.Column('result', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('retryable', sa.Integer(), nullable=False),
    sa.Column('settled_at', sa.Text(), nullable=True),
    sa.CheckConstraint("result IN ('waiting', 'signed', 'failed', 'skipped')", name='result_known'),
    sa.ForeignKeyConstraint(['batch'], ['batches.id'], ),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.PrimaryKeyConstraint('batch', 'permit')
    )
    op.create_index('one_order_per_permit', 'batch_items', ['permit'], unique=True, sqlite_where=sa.text('ordered = 1'), postgresql_where=sa.text('ordered = 1'))
    op.create_table('sealed_secrets',
    sa.Column('batch', sa.Text(), nullable=False),
    sa.Column('signer', sa.Text(), nullable=False),
    sa.Column('sender_key', sa.Text(), nullable=False),
    sa.Column('ciphertext', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['batch'], ['batches.id'], ),
    sa.PrimaryKeyConstraint('batch', 'signer')
    )


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
