"""personal data sealed at rest; names found by keyed hashes; the data keys that this database knows; several keys for one client"""

from alembic import op
import sqlalchemy as sa

from service.store import names
from service.store.sealed import vault_of


revision = "0014"
down_revision = "0013"

SEALED = {
    "case_revisions": (("permit", "revision"), ("body",)),
    "proposals": (("id",), ("payload",)),
    "case_notes": (("id",), ("text",)),
    "reports": (("id",), ("text", "contact")),
    "earlier_entries": (("office", "number"), ("name", "place", "note")),
}
PAGE = 500
KEPT = "NEW.{0} = OLD.{0}"
SAME = " AND ".join(KEPT.format(name) for name in ("permit", "revision", "content_sha", "manifest_sha", "warnings", "accepted_at"))
SEALED_ANEW = f"{SAME} AND NEW.body LIKE 'v1.k%' AND (OLD.erased_at IS NULL OR OLD.erased_at = NEW.erased_at)"


def upgrade() -> None:
    op.add_column("case_revisions", sa.Column("erased_at", sa.Text(), nullable=True))
    op.create_table(
        "case_names",
        sa.Column("permit", sa.Text(), nullable=False),
        sa.Column("begins", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["permit"],
            ["permits.id"],
        ),
        sa.PrimaryKeyConstraint("permit", "begins"),
    )
    op.create_index("case_names_beginning", "case_names", ["begins", "permit"])
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _client_keys()
    op.execute("DROP TRIGGER case_revisions_no_update" + _on("case_revisions"))
    _note_names()
    for table, (keys, columns) in SEALED.items():
        _seal(table, keys, columns)
    _keep_what_was_said()


def _client_keys() -> None:
    op.add_column("clients", sa.Column("scopes", sa.Text(), nullable=True))
    op.add_column("clients", sa.Column("must_sign", sa.Integer(), nullable=True))
    op.create_table(
        "client_keys",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("signing", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.Column("used_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client"],
            ["clients.id"],
        ),
        sa.PrimaryKeyConstraint("prefix"),
    )
    op.create_index("ix_client_keys_client", "client_keys", ["client"])
    op.create_table(
        "request_nonces",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prefix"],
            ["client_keys.prefix"],
        ),
        sa.PrimaryKeyConstraint("prefix", "nonce"),
    )
    op.create_index("request_nonces_at", "request_nonces", ["at"])
    op.execute(
        "INSERT INTO client_keys (prefix, client, hash, created_at) "
        "SELECT key_prefix, id, key_hash, created_at FROM clients WHERE key_hash <> '-'"
    )
    op.execute("UPDATE clients SET key_prefix = id, key_hash = '-'")


def _on(table: str) -> str:
    return f" ON {table}" if op.get_bind().dialect.name == "postgresql" else ""


def _note_names() -> None:
    """Of the newest revision of each case, while it can still be read."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT p.id, p.office, r.body FROM permits p JOIN case_revisions r ON r.permit = p.id AND r.revision = p.revision"
        )
    ).all()
    for start in range(0, len(found), PAGE):
        noted = [one for row in found[start : start + PAGE] for one in names.rows(connection, *row)]
        if noted:
            connection.execute(sa.text("INSERT INTO case_names (permit, begins) VALUES (:permit, :begins)"), noted)


def _seal(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text(f"SELECT {', '.join((*keys, *columns))} FROM {table}")).mappings().all()  # noqa: S608 - names of this file
    if not rows:
        return
    vault = vault_of(connection)
    placed = ", ".join(f"{one} = :{one}" for one in columns)
    mine = " AND ".join(f"{one} = :{one}" for one in keys)
    for row in rows:
        sealed = {one: row[one] if row[one] is None else vault.seal(row[one].encode(), f"{table}.{one}") for one in columns}
        connection.execute(sa.text(f"UPDATE {table} SET {placed} WHERE {mine}"), {**row, **sealed})  # noqa: S608 - the same; values are bound


def _keep_what_was_said() -> None:
    """A case's text may be sealed with another key, or erased once; nothing that binds it changes."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION teken_sealed_anew() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {SEALED_ANEW} THEN RETURN NEW; END IF; RAISE EXCEPTION 'append only: %', TG_TABLE_NAME; END $$"
        )
        op.execute(
            "CREATE TRIGGER case_revisions_no_update BEFORE UPDATE ON case_revisions FOR EACH ROW EXECUTE FUNCTION teken_sealed_anew()"
        )
    else:
        op.execute(
            f"CREATE TRIGGER case_revisions_no_update BEFORE UPDATE ON case_revisions WHEN NOT ({SEALED_ANEW}) "
            "BEGIN SELECT RAISE(ABORT, 'append only: case_revisions'); END"
        )


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back")
