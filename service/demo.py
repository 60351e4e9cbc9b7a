"""Plays all five procedures to the end on embedded defaults: posts a case over HTTP, then every actor takes his turn."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import shutil
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import select

from service import acts, clients, development, queries, skm, surveys
from service.clock import SystemClock
from service.document.check import sample_case
from service.people import local_day
from service.permits import State
from service.settings import PROJECT, Settings
from service.sop.model import PermitType, Row, Verb
from service.store.tables import mandates, permits, tickets
from service.wiring import Teken, open_teken

HOME = PROJECT / "var" / "demo"
PATIENCE_SECONDS = 90
SATISFIED = dict(zip(skm.ELEMENTS, (4, 3, 4, 4, 3, 4, 4, 3, 4), strict=True))
AT_DESKS = ("Ayu Contoh Pertiwi", "Bima Contoh Prasetyo", "Citra Contoh Larasati", "Damar Contoh Wicaksono")
"""Invented applicants whose cases are left at the desks: the last with its first reader, the others with the head."""
COLUMNS = ("sop", "office", "register_number", "state", "verdict", "document", "verify_url")


class DemoStuck(Exception):
    """A permit did not move on in time."""


def demo(*, once: bool, as_json: bool, port: int) -> int:
    """Make everything, play every procedure, show the result; serve on until Ctrl-C unless `once`."""
    settings = _settings(port)
    shutil.rmtree(HOME, ignore_errors=True)
    development.certificates(settings.templates, settings.keys)
    processes = development.start(settings)
    try:
        with contextlib.closing(open_teken(settings)) as teken:
            wait_for_web(settings)
            shown = [
                _played(teken, settings, kind) for kind in sorted(teken.offices, key=lambda one: one.procedure.sop)
            ]
            print(
                json.dumps({"permits": shown}, ensure_ascii=False, indent=2) if as_json else _table(shown), flush=True
            )
            if once:
                return 0 if all(permit["verdict"] == "identical" for permit in shown) else 1
            for kind in teken.offices:
                _leave_at_desks(teken, settings, kind)
        print(
            f"\nMelayani di http://{settings.listen} sampai Ctrl-C. Buka salah satu alamat di atas, atau pindai QR-nya.\n"
            f"Meja kerja, dengan peran pilihan Anda: http://{settings.listen}/meja/peran",
            flush=True,
        )
        return development.wait(processes)
    finally:
        development.stop(processes)


def case_of(kind: PermitType, upstream_id: str, now: datetime, **changes: Any) -> dict[str, Any]:
    """Return an invented approved case of a type, as an upstream system would post it."""
    complete = now - timedelta(days=2)
    case: dict[str, Any] = {
        group: {key: value for key, value in fields.items() if value is not None}
        for group, fields in sample_case(kind).items()
    }
    case |= {
        "office": kind.office,
        "type": kind.code,
        "upstream_id": upstream_id,
        "request_kind": "BARU",
        "complete_at": _iso(complete),
        "attested": [_attested(row, complete + timedelta(minutes=row.no)) for row in kind.procedure.attested_rows()],
        "requirements": [{"code": requirement.code} for requirement in kind.requirements if requirement.required],
    }
    if kind.photo:
        case["photo"] = {"media_type": "image/jpeg", "data": base64.b64encode(portrait()).decode()}
    return case | changes


def portrait() -> bytes:
    """Draw nobody: a head and shoulders on red, in the size of a scanned pas foto."""
    picture = Image.new("RGB", (600, 900), (176, 42, 38))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 560, 540, 1180), fill=(38, 52, 74))
    draw.polygon([(300, 640), (236, 570), (364, 570)], fill=(244, 241, 236))
    draw.rounded_rectangle((252, 470, 348, 600), 44, fill=(206, 160, 128))
    draw.ellipse((182, 190, 418, 520), fill=(219, 174, 142))
    draw.chord((170, 160, 430, 470), 178, 362, fill=(46, 36, 32))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


def take_turn(teken: Teken, permit: str) -> bool:
    """Do the act that waits for a person, as a person who may do it; tell whether one waited."""
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == permit)).one()
        ticket = connection.execute(select(tickets.c.code).where(tickets.c.permit == permit)).scalar_one_or_none()
    if row.queue != "person":
        return False
    act = teken.pins.open(row.pin).permit_type.procedure.plan[row.position]
    who, seen = holder(teken, row.office, str(act.role)), queries.preview(teken, permit)[1]
    turns = {
        Verb.VERIFY: lambda: acts.read(teken, who, permit, act.verb, seen_sha=seen),
        Verb.PARAF: lambda: acts.read(teken, who, permit, act.verb, seen_sha=seen),
        Verb.APPROVE: lambda: acts.read(teken, who, permit, act.verb, seen_sha=seen),
        Verb.SIGN: lambda: acts.order_signature(teken, who, permit, seen_sha=seen),
        Verb.PRINT: lambda: acts.print_paper(teken, who, permit),
        Verb.DELIVER: lambda: acts.deliver(teken, who, permit),
        Verb.SURVEY: lambda: surveys.take(teken, who, permit, answers=SATISFIED),
        Verb.HANDOVER: lambda: acts.hand_over(teken, who, permit, identity="ktp", ticket=ticket or ""),
        Verb.RECEIVE: lambda: acts.receive(teken, who, permit),
    }
    turns[act.verb]()
    return True


def holder(teken: Teken, office: str, role: str) -> str:
    """Return who acts in a role today: Plh. before Plt. before the definitive holder."""
    day = local_day(teken.offices.office(office), teken.clock.now()).isoformat()
    with teken.db.read() as connection:
        rows = connection.execute(select(mandates).where(mandates.c.office == office, mandates.c.role == role)).all()
    current = [one for one in rows if one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)]
    if not current:
        raise LookupError(role)
    return str(min(current, key=lambda one: ({"plh": 0, "plt": 1}.get(one.kind, 2), one.id)).official)


def _settings(port: int) -> Settings:
    listen = f"127.0.0.1:{port or _free_port(8000)}"
    return Settings(home=HOME, keys=HOME / "keys", listen=listen, public_url=f"http://{listen}", development_login=True)


def _free_port(wanted: int) -> int:
    for candidate in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", candidate))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def wait_for_web(settings: Settings) -> None:
    for _ in _moments():
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{settings.listen}/readyz", timeout=5):
            return
    raise DemoStuck("the web process does not answer")


def _played(teken: Teken, settings: Settings, kind: PermitType) -> dict[str, Any]:
    upstream_id = f"DEMO-{kind.procedure.sop}"
    permit = _posted(teken, settings, case_of(kind, upstream_id, SystemClock().now()))
    row = _acted(teken, permit, until=lambda row: row.queue == "none")
    if row.state != State.IN_FORCE:
        raise DemoStuck(f"{kind.office}/{kind.code}: {row.state}, {row.fault}")
    return _shown(teken, kind, permit)


def _leave_at_desks(teken: Teken, settings: Settings, kind: PermitType) -> None:
    """Post some more, so that whoever looks around finds something to read and to sign."""
    signs = [str(act.verb) for act in kind.procedure.plan].index(Verb.SIGN)
    for number, name in enumerate(AT_DESKS):
        case = case_of(kind, f"DEMO-{kind.procedure.sop}-{number}", SystemClock().now())
        case["applicant"]["nama"] = name
        enough = 0 if name == AT_DESKS[-1] else signs
        _acted(teken, _posted(teken, settings, case), until=partial(_waits_for_somebody, enough))


def _waits_for_somebody(position: int, row: Any) -> bool:
    return bool(row.queue == "person" and row.position >= position)


def _acted(teken: Teken, permit: str, until: Callable[[Any], bool]) -> Any:
    """Let everybody act until the permit's row is as wanted; return it. Raises DemoStuck."""
    for _ in _moments():
        with teken.db.read() as connection:
            row = connection.execute(select(permits).where(permits.c.id == permit)).one()
        if until(row):
            return row
        take_turn(teken, permit)
    raise DemoStuck(f"{row.office}/{row.type}: {row.state}, {row.fault}")


def _posted(teken: Teken, settings: Settings, case: dict[str, Any]) -> str:
    """Post as the upstream system does, with its API key and an idempotency key."""
    _, key = clients.add_client(teken, case["office"], "Sistem hulu (demo)")
    body = json.dumps(case).encode()
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": case["upstream_id"].lower(),
    }
    request = urllib.request.Request(f"http://{settings.listen}/api/v1/cases", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - http to our own process
        return str(json.load(answer)["id"])


def _shown(teken: Teken, kind: PermitType, permit: str) -> dict[str, Any]:
    with teken.db.read() as connection:
        row = connection.execute(select(permits).where(permits.c.id == permit)).one()
    released = queries.released(teken, row)
    path = HOME / "izin" / f"{kind.procedure.sop}-{kind.office}-{kind.code}.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(released.pdf)
    from service.verification import verify_file

    answer = verify_file(teken, released.pdf)
    return {
        "sop": kind.procedure.sop,
        "office": kind.office,
        "type": kind.code,
        "state": row.state,
        "register_number": row.number,
        "document": str(path.relative_to(PROJECT)),
        "sha256": released.sha256,
        "verify_url": row.verify_url,
        "verdict": str(answer.verdict),
        "signatures": [
            {"field": one.field, "by": one.by, "level": one.level, "valid": one.valid} for one in answer.signatures
        ],
        "steps": queries.steps(teken, permit),
    }


def _table(shown: list[dict[str, Any]]) -> str:
    rows = [[str(permit[column]) for column in COLUMNS] for permit in shown]
    heads = ["SOP", "instansi", "nomor register", "keadaan", "pemeriksaan", "berkas", "alamat verifikasi"]
    widths = [max(len(line[i]) for line in [heads, *rows]) for i in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [heads, *rows]
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _moments() -> Iterator[int]:
    until = time.monotonic() + PATIENCE_SECONDS
    count = 0
    while time.monotonic() < until:
        yield count
        count += 1
        time.sleep(0.05)


def _attested(row: Row, at: datetime) -> dict[str, Any]:
    by = {} if row.actor == "pemohon" else {"by": {"name": "Petugas Contoh"}}
    return {"no": row.no, "at": _iso(at), **by}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
