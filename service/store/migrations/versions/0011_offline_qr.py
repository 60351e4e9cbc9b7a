"""the offline QR: its text on the permit, keys, lists, burned codes"""

from alembic import op
import sqlalchemy as sa


revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.add_column('permits', sa.Column('qr', sa.Text(), nullable=True))
    op.create_table('qr_keys',
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('kid', sa.Text(), nullable=False),
    sa.Column('x', sa.Text(), nullable=False),
    sa.Column('y', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('not_before', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('active', 'retired', 'compromised')", name='state_known'),
    sa.PrimaryKeyConstraint('office', 'kid')
    )
    op.create_table('qr_lists',
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('kid', sa.Text(), nullable=False),
    sa.Column('issued_at', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('signature', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('office')
    )
    op.create_table('qr_burned',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('permit', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('qr_burned_of_office', 'qr_burned', ['office'])


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
