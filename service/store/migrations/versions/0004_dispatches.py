"""dispatches: what went out to a signing service"""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
