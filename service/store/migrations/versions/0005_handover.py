"""handover: what the web host signs"""

from alembic import op
import sqlalchemy as sa


revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
