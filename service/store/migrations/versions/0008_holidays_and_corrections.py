"""holidays beside the office's file, and register entries that pass a number on to the permit that corrects its own"""

from alembic import op
import sqlalchemy as sa


revision = '0008'
down_revision = '0007'

ONCE = sa.text("kind IN ('allot','void')")
KINDS = "kind IN ('allot', 'void', 'correct')"


def upgrade() -> None:
    op.create_table('holidays',
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('added_at', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('office', 'day')
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_constraint('kind_known', 'register', type_='check')
        op.create_check_constraint('kind_known', 'register', KINDS)
        for name in ('each_number_once', 'each_text_once'):
            op.drop_constraint(name, 'register', type_='unique')
    else:
        _copy()
    op.create_index('each_number_once', 'register', ['series', 'kind', 'no'], unique=True, sqlite_where=ONCE, postgresql_where=ONCE)
    op.create_index('each_text_once', 'register', ['number', 'kind', 'series'], unique=True, sqlite_where=ONCE, postgresql_where=ONCE)


def _copy() -> None:
    """SQLite changes no constraint of a table: the rows go into a new one, which gets the triggers of the old."""
    columns = ('series', 'seq', 'kind', 'no', 'number', 'permit', 'day', 'by', 'reason', 'at', 'prev', 'hash')
    op.create_table('register_new',
    *(sa.Column(name, sa.Integer() if name in ('seq', 'no') else sa.Text(), nullable=name == 'reason', autoincrement=False) for name in columns),
    sa.CheckConstraint(KINDS, name='kind_known'),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.ForeignKeyConstraint(['series'], ['series.name'], ),
    sa.PrimaryKeyConstraint('series', 'seq'),
    sa.UniqueConstraint('permit', 'kind', 'series', name='one_number_per_permit')
    )
    listed = ', '.join(f'"{name}"' for name in columns)
    op.execute(f'INSERT INTO register_new ({listed}) SELECT {listed} FROM register')  # noqa: S608 - columns of the schema
    for act in ('UPDATE', 'DELETE'):
        op.execute(f'DROP TRIGGER register_no_{act.lower()}')
    op.drop_table('register')
    op.rename_table('register_new', 'register')
    for act in ('UPDATE', 'DELETE'):
        op.execute(f"CREATE TRIGGER register_no_{act.lower()} BEFORE {act} ON register BEGIN SELECT RAISE(ABORT, 'append only: register'); END")


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
