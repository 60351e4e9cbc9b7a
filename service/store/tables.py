"""The tables. Instants, days and JSON are text in one canonical form, so that both engines store and hash the same bytes."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from service.permits import State
from service.store.sealed import Sealed

metadata = MetaData()


def one_of(column: str, values: list[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("office", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column(
        "key_prefix", Text, nullable=False, unique=True
    ),  # the first release's key; now the id: keys are in `client_keys`
    Column("key_hash", Text, nullable=False),  # the same; now "-", which no key has
    Column("created_at", Text, nullable=False),
    Column("disabled_at", Text),
    Column("scopes", Text),  # JSON list; null: every one
    Column("must_sign", Integer),  # 1: requests must be signed (service/request_signing.py)
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("client", Text, ForeignKey("clients.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_sha", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("running_until", Text),  # null once answered
    Column("status", Integer),
    Column("reply", Text),
    Column("location", Text),
)

permits = Table(
    "permits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("office", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("client", Text, ForeignKey("clients.id"), nullable=False),
    Column("upstream_id", Text, nullable=False),
    Column("request_kind", Text, nullable=False),
    Column("replaces", Text, ForeignKey("permits.id")),
    Column("complete_at", Text, nullable=False),
    Column("pin", Text, nullable=False),  # SHA-256 of the pinned profile, template, fonts and typesetter version
    Column("code", Text, nullable=False, unique=True),
    Column("verify_url", Text, nullable=False),
    Column("qr", Text),  # what the QR says where it proves itself offline: verify_url and a signed fragment (ADR 0047)
    Column("state", Text, nullable=False),
    Column("position", Integer, nullable=False),  # index of the due act in the plan
    Column("queue", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("fence", Integer, nullable=False, default=0),  # grows with every claim and every change by a person
    Column("lease_until", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Text, nullable=False),
    Column("fault", Text),  # last failure: a code, never personal data
    Column("parked_from", Text),  # set while a step is set aside; a released permit keeps its state meanwhile
    Column("series", Text),
    Column("number_no", Integer),
    Column("number", Text),
    Column("set_on", Text),
    Column("valid_from", Text),
    Column("valid_to", Text),
    Column("signatory", Text),  # JSON: who the paper names (official, mandate, name, nip, rank, title, prefix)
    Column("draft_sha", Text),  # what people read before the number
    Column("final_sha", Text),  # what the head previews and signs
    Column("ordered_sha", Text),  # what the head ordered to sign
    Column("head_sha", Text),
    Column("sealed_sha", Text),
    Column("released_sha", Text),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    UniqueConstraint("client", "upstream_id", name="one_permit_per_upstream_case"),
    one_of("state", list(State)),
    one_of("queue", ["work", "sign", "person", "none"]),
)
WORKED = text("queue IN ('work','sign')")
"""What a worker may find due. A query must say it in these words, or SQLite reads every permit instead of the index."""
Index(
    "permits_due",
    permits.c.queue,
    permits.c.due_at,
    permits.c.id,
    sqlite_where=WORKED,
    postgresql_where=WORKED,
)
Index("permits_replaces", permits.c.replaces)
Index("permits_number", permits.c.number)
Index("permits_upstream", permits.c.upstream_id)  # whoever asks at the desk knows no client

revisions = Table(
    "case_revisions",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("content_sha", Text, nullable=False),
    Column("manifest_sha", Text, nullable=False),  # what a paraf binds: printed content, requirements and the pin
    Column("body", Sealed("case_revisions.body"), nullable=False),
    Column("photo_sha", Text),  # of the sealed photo (service/photos.py)
    Column("warnings", Text, nullable=False),
    Column("accepted_at", Text, nullable=False),
    Column("erased_at", Text),  # the case was given up long ago: body and photo are gone, their hash stays
)

case_names = Table(
    "case_names",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("begins", Text, primary_key=True),  # keyed hash of how a word of the holder's name begins
)
Index("case_names_beginning", case_names.c.begins, case_names.c.permit)

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("proof", Text, nullable=False),  # its own id, sealed with it: who has another file is told at start
    Column("seen_at", Text, nullable=False),
    Column("dropped_at", Text),  # nothing needs it any more; a file that still has it does no harm
)

acts = Table(
    "acts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("permit", Text, ForeignKey("permits.id"), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("row", Integer),
    Column("verb", Text, nullable=False),
    Column("role", Text),
    Column("official", Text),  # null: the system on behalf of the row's actor
    Column("mandate", Text),
    Column("at", Text, nullable=False),
    Column("manifest_sha", Text, nullable=False),
    Column("document_sha", Text),  # the bytes that were seen
    Column("detail", Text, nullable=False, default="{}"),
    Column("voided_at", Text),
)
Index(
    "acts_once",
    acts.c.permit,
    acts.c.position,
    unique=True,
    sqlite_where=text("voided_at IS NULL"),
    postgresql_where=text("voided_at IS NULL"),
)

chains = Table(
    "chains",
    metadata,
    Column("name", Text, primary_key=True),
    Column("length", Integer, nullable=False),
    Column("head", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("client", Text),
    Column("permit", Text, index=True),
    Column("data", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
)
Index("events_of_client", events.c.client, events.c.seq)

series = Table(
    "series",
    metadata,
    Column("name", Text, primary_key=True),  # office/series[/type]/period
    Column("office", Text, nullable=False),
    Column("first_no", Integer, nullable=False),
    Column("last_no", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("head", Text, nullable=False),
    Column("last_day", Text, nullable=False),
)

register = Table(
    "register",
    metadata,
    Column("series", Text, ForeignKey("series.name"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column(
        "kind", Text, nullable=False
    ),  # allot | void | correct: the number goes on to the permit that corrects its own
    Column("no", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("permit", Text, ForeignKey("permits.id")),
    Column("day", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text),
    Column("at", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint(
        "permit", "kind", "series", name="one_number_per_permit"
    ),  # a voided one may be followed next year
    one_of("kind", ["allot", "void", "correct", "reserve"]),
)
_ONCE = text("kind IN ('allot','void')")
Index(
    "each_number_once",
    register.c.series,
    register.c.kind,
    register.c.no,
    unique=True,
    sqlite_where=_ONCE,
    postgresql_where=_ONCE,
)
Index(
    "each_text_once",
    register.c.number,
    register.c.kind,
    register.c.series,
    unique=True,
    sqlite_where=_ONCE,
    postgresql_where=_ONCE,
)

documents = Table(
    "documents",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sha", Text, nullable=False, unique=True),
    Column("signatures", Text, nullable=False),  # JSON list: field, certificate_sha256, level, by, at
    Column("released_at", Text, nullable=False),
    Column("extends", Text),  # SHA-256 of the bytes that it begins with and extends; null: as it was signed
)

upkeep = Table(
    "upkeep",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("level", Text, nullable=False),  # what the newest version's weakest signature has reached
    Column("proven_until", Text),  # when its newest time-stamp loses its worth; null: nothing to renew
    Column("due_at", Text, nullable=False),
    Column("lease_until", Text, nullable=False, default=""),
    Column("fence", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("fault", Text),
)
Index("upkeep_due", upkeep.c.due_at)

quarantine = Table(
    "quarantine",
    metadata,
    Column("sha", Text, primary_key=True),
    Column("permit", Text, ForeignKey("permits.id"), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Text, nullable=False),
)

officials = Table(
    "officials",
    metadata,
    Column("id", Text, primary_key=True),  # office/code
    Column("office", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("nip", Text),
    Column("rank", Text),
)

mandates = Table(
    "mandates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("official", Text, ForeignKey("officials.id"), nullable=False),
    Column("office", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("valid_from", Text, nullable=False),
    Column("valid_to", Text),
    Column("decision", Text),
    one_of("kind", ["definitif", "plt", "plh"]),
)

certificates = Table(
    "certificates",
    metadata,
    Column("owner", Text, primary_key=True),  # official id, or office + "/segel"
    Column("sha256", Text, primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("not_before", Text, nullable=False),
    Column("not_after", Text, nullable=False),
    Column("enrolled_at", Text, nullable=False),
)

prints = Table(
    "prints",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("kind", Text, nullable=False),  # draf | asli | ulang
    Column("sha", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text),
    Column("at", Text, nullable=False),
)

handovers = Table(
    "handovers",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("no", Integer, nullable=False),
    Column("office", Text, nullable=False),
    Column("identity", Text, nullable=False),  # ktp | surat_kuasa
    Column("reference", Text),  # of the surat kuasa, as the office files it; never a person's name
    Column("receipt", Text, index=True),  # what was handed over together has one
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("office", "no", name="handover_register"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("permit", Text, ForeignKey("permits.id"), primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("made_at", Text, nullable=False),
)

surveys = Table(
    "surveys",
    metadata,
    Column("id", Text, primary_key=True),  # random: an answer can't be led back to a permit
    Column("office", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("answers", Text, nullable=False),
)
Index("surveys_of_month", surveys.c.office, surveys.c.type, surveys.c.month)
