"""A small world for tests: offices, keys, a database, invented cases, and people who act when it is their turn."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from service import acts, intake, pipeline, queries
from service.clock import SetClock
from service.document.check import sample_case
from service.permits import State
from service.settings import PROJECT, Settings
from service.sop import load_offices
from service.sop.model import Verb
from service.store.tables import mandates, permits, tickets
from service.wiring import Teken, open_teken

TYPES = (
    ("rokan-hilir", "sip-perekam-medis"),
    ("rokan-hulu", "surat-izin-perekam-medik"),
    ("malang", "sik-perekam-medis"),
    ("kudus", "sip-perekam-medis"),
    ("rokan-hilir", "sip-penata-anestesi"),
)
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
NIK = "3204110609970001"
OFFICES = load_offices(PROJECT / "templates")


def open_office(home: Path, keys: Path, *, database: str = "", signing: bool = True, clock=None, **settings) -> Teken:
    given = Settings(home=home, keys=keys, database_url=database, retry_seconds=0, **settings)
    return open_teken(given, clock=clock or SetClock(NOW), signing=signing, offices=OFFICES)


def payload(office: str, permit_type: str, upstream_id: str = "UJI-0001", **changes) -> dict:
    """An approved case made of the type's invented samples; `changes` replace top-level keys or dotted paths (with __)."""
    kind = OFFICES.permit_type(office, permit_type)
    body = sample_case(kind)
    body = {group: {k: v for k, v in values.items() if v is not None} for group, values in body.items()}
    body["applicant"].setdefault("nik", NIK)
    rows = kind.procedure.attested_rows()
    start = NOW - timedelta(days=3)
    body |= {
        "office": office,
        "type": permit_type,
        "upstream_id": upstream_id,
        "request_kind": "BARU",
        "complete_at": _iso(start),
        "attested": [_attested(row, start + timedelta(minutes=i), kind) for i, row in enumerate(rows)],
        "requirements": [{"code": r.code} for r in kind.requirements if r.required],
    }
    if kind.photo:
        body["photo"] = {"media_type": "image/jpeg", "data": photo()}
    for path, value in changes.items():
        *groups, leaf = path.split("__")
        place = body
        for group in groups:
            place = place[group]
        place[leaf] = value
    return body


def photo() -> str:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((480, 720)).convert("RGB").save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def post(teken: Teken, client, body: dict, key: str | None = None):
    from service.canonical import dumps

    return intake.accept(teken, client, body, dumps(body).encode(), key)


def client_of(teken: Teken, office: str):
    return intake.add_client(teken, office, "uji")[0]


def holder(teken: Teken, office: str, role: str) -> str:
    """Whoever may act in the role today."""
    day = teken.clock.now().date().isoformat()
    with teken.db.read() as connection:
        rows = connection.execute(select(mandates).where(mandates.c.office == office, mandates.c.role == role)).all()
    current = [m for m in rows if m.valid_from <= day and (m.valid_to is None or day <= m.valid_to)]
    order = {"plh": 0, "plt": 1, "definitif": 2}
    return min(current, key=lambda m: order[m.kind]).official


def row(teken: Teken, permit: str):
    with teken.db.read() as connection:
        return connection.execute(select(permits).where(permits.c.id == permit)).one()


def work(teken: Teken) -> None:
    """Let the worker and the signing process do all that is due."""
    while pipeline.drain(teken, "work") + pipeline.drain(teken, "sign"):
        pass


def take_turn(teken: Teken, permit: str) -> bool:
    """Do the act that waits for a person, as the right person; tell whether one waited."""
    now = row(teken, permit)
    if now.queue != "person":
        return False
    act = teken.pins.open(now.pin).permit_type.procedure.plan[now.position]
    who = holder(teken, now.office, act.role)
    seen = queries.preview(teken, permit)[1]
    if act.verb in {Verb.VERIFY, Verb.PARAF, Verb.APPROVE}:
        acts.read(teken, who, permit, act.verb, seen_sha=seen)
    elif act.verb is Verb.SIGN:
        acts.order_signature(teken, who, permit, seen_sha=seen)
    elif act.verb is Verb.PRINT:
        acts.print_paper(teken, who, permit)
    elif act.verb is Verb.DELIVER:
        acts.deliver(teken, who, permit)
    elif act.verb is Verb.SURVEY:
        acts.survey(teken, who, permit, answers=dict.fromkeys(acts.SURVEY_ELEMENTS, 4))
    elif act.verb is Verb.HANDOVER:
        with teken.db.read() as connection:
            ticket = connection.execute(select(tickets.c.code).where(tickets.c.permit == permit)).scalar_one()
        acts.hand_over(teken, who, permit, identity="ktp", ticket=ticket)
    elif act.verb is Verb.RECEIVE:
        acts.receive(teken, who, permit)
    return True


def play(teken: Teken, permit: str, *, until: State | None = None) -> None:
    """Let everybody act until the procedure's end, or until the permit reaches a state."""
    while True:
        work(teken)
        if until is not None and row(teken, permit).state == until:
            return
        if not take_turn(teken, permit):
            return


def _attested(step, at: datetime, kind) -> dict:
    by = {} if step.actor == "pemohon" else {"by": {"name": "Petugas Contoh"}}
    return {"no": step.no, "at": _iso(at), **by}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
