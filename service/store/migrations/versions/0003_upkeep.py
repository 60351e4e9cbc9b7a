"""later versions of documents: what each extends, and when it must be extended or renewed"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.add_column('documents', sa.Column('extends', sa.Text(), nullable=True))
    op.create_table('upkeep',
    sa.Column('permit', sa.Text(), nullable=False),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('proven_until', sa.Text(), nullable=True),
    sa.Column('due_at', sa.Text(), nullable=False),
    sa.Column('lease_until', sa.Text(), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('fault', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.PrimaryKeyConstraint('permit')
    )
    op.create_index('upkeep_due', 'upkeep', ['due_at'])


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
