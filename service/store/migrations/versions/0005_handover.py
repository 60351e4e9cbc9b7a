"""the web host signs what it hands over

What was sealed lives for minutes and dies with its signing process: nothing is carried over.
"""

from alembic import op
import sqlalchemy as sa


revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.drop_table('sealed_secrets')
    op.create_table('sealed_secrets',
    sa.Column('batch', sa.Text(), nullable=False),
    sa.Column('signer', sa.Text(), nullable=False),
    sa.Column('sender_key', sa.Text(), nullable=False),
    sa.Column('ciphertext', sa.Text(), nullable=False),
    sa.Column('host_key', sa.Text(), nullable=False),
    sa.Column('sealed_at', sa.Text(), nullable=False),
    sa.Column('signature', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['batch'], ['batches.id'], ),
    sa.PrimaryKeyConstraint('batch', 'signer')
    )


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
