"""what the counter records of a hand-over; entries of the paper agenda, numbers used outside, and closings of the register book"""

from alembic import op
import sqlalchemy as sa


revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.add_column('handovers', sa.Column('reference', sa.Text(), nullable=True))
    op.add_column('handovers', sa.Column('receipt', sa.Text(), nullable=True))
    op.create_index('ix_handovers_receipt', 'handovers', ['receipt'])
    op.create_index('surveys_of_month', 'surveys', ['office', 'type', 'month'])
    op.create_table('earlier_entries',
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('series', sa.Text(), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('valid_to', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('office', 'number')
    )
    op.create_index('earlier_of_series', 'earlier_entries', ['office', 'series', 'day'])
    op.create_table('closings',
    sa.Column('series', sa.Text(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('office', sa.Text(), nullable=False),
    sa.Column('first', sa.Text(), nullable=False),
    sa.Column('last', sa.Text(), nullable=False),
    sa.Column('allotted', sa.Integer(), nullable=False),
    sa.Column('voided', sa.Integer(), nullable=False),
    sa.Column('reserved', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('checkpoint', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['series'], ['series.name'], ),
    sa.PrimaryKeyConstraint('series', 'period')
    )
    _numbers_without_permit()


ONCE = sa.text("kind IN ('allot','void')")


def _numbers_without_permit() -> None:
    """A number that the paper agenda used belongs to no permit. SQLite makes the table anew, with its triggers."""
    known = "kind IN ('allot', 'void', 'correct', 'reserve')"
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column('register', 'permit', nullable=True)
        op.drop_constraint('kind_known', 'register', type_='check')
        op.create_check_constraint('kind_known', 'register', known)
        return
    op.create_table('register_new',
    sa.Column('series', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('permit', sa.Text(), nullable=True),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('prev', sa.Text(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.CheckConstraint(known, name='kind_known'),
    sa.ForeignKeyConstraint(['permit'], ['permits.id'], ),
    sa.ForeignKeyConstraint(['series'], ['series.name'], ),
    sa.PrimaryKeyConstraint('series', 'seq'),
    sa.UniqueConstraint('permit', 'kind', 'series', name='one_number_per_permit')
    )
    columns = "series, seq, kind, no, number, permit, day, \"by\", reason, at, prev, hash"
    op.execute(f"INSERT INTO register_new ({columns}) SELECT {columns} FROM register ORDER BY series, seq")  # noqa: S608 - names of this file
    for act in ("UPDATE", "DELETE"):
        op.execute(f"DROP TRIGGER register_no_{act.lower()}")
    op.drop_table('register')
    op.rename_table('register_new', 'register')
    op.create_index('each_number_once', 'register', ['series', 'kind', 'no'], unique=True, sqlite_where=ONCE)
    op.create_index('each_text_once', 'register', ['number', 'kind', 'series'], unique=True, sqlite_where=ONCE)
    for act in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER register_no_{act.lower()} BEFORE {act} ON register BEGIN SELECT RAISE(ABORT, 'append only: register'); END")


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
