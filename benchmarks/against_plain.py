"""How much faster a page becomes a proven, signed permit here than in the plain way (benchmarks/plain.py)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from benchmarks import plain
from benchmarks.figures import Ratio, Spread, ratio, spread
from benchmarks.office import NUMBER_FIRST, Bench, bench, letters, open_office
from service.document.fields import prepare
from service.document.locks import certified
from service.people import local_day
from service.pins import Bundle
from service.steps import work as steps
from service.steps.sign import FIELD
from signing import Expectation, ExpectedSignature, Pkcs12Backend, QrCode, SignatureSpec, open_pkcs12, prove, sign

WARM_UP = 2
FONT = "_shared/fonts/texgyrebonum-regular.otf"
"""The family of the page, so that both ways print in one."""


@dataclass(frozen=True, slots=True)
class Duel:
    """CPU seconds of both ways in one run; `ratio` is plain over ours."""

    ours: Spread
    plain: Spread
    ratio: Ratio
    rounds: int


@dataclass(frozen=True, slots=True)
class Printed:
    """One numbered permit whose paper both ways make: same page, key and address in the QR."""

    bundle: Bundle
    row: Row[Any]
    page: dict[str, Any]
    key_file: Path
    passphrase: bytes
    key: Pkcs12Backend

    def page_of(self, serial: int) -> dict[str, Any]:
        """Return the page with another holder: typst remembers the layout of what it has seen, in either way."""
        word = letters(serial)
        facts = [[label, f"{word} {value}", path] for label, value, path in self.page["facts"]]
        return self.page | {"name": f"{word} {self.page['name']}", "facts": facts}


def measure(folder: Path, rounds: int, *, warm_up: int = WARM_UP) -> Duel:
    """Make `rounds` papers each way, turn about, in one process."""
    paper = printed(bench(open_office(folder / "office", "rsa2048"), NUMBER_FIRST))
    ways = (_ours(paper), _plain(paper))
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(warm_up + rounds):
        for way in (0, 1) if turn % 2 else (1, 0):
            page = paper.page_of(2 * turn + way)
            start = time.process_time()
            ways[way](page)
            if turn >= warm_up:
                taken[way].append(time.process_time() - start)
    return Duel(spread(taken[0]), spread(taken[1]), ratio(taken[1], taken[0]), rounds)


def printed(office: Bench) -> Printed:
    teken, permit = office.teken, office.post()
    office.work()
    row = office.row(permit)
    bundle, named = teken.pins.open(row.pin), json.loads(row.signatory)
    today = local_day(bundle.office, teken.clock.now())
    page = steps.page(bundle, row._mapping, steps.content(teken, row).case, named, today)
    key_file = teken.settings.keys / f"{named['official'].replace('/', '.')}.p12"
    passphrase = teken.settings.passphrase.read_bytes().strip()
    return Printed(bundle, row, page, key_file, passphrase, open_pkcs12(key_file, passphrase))


def _ours(paper: Printed) -> Callable[[dict[str, Any]], object]:
    bundle, url = paper.bundle, paper.row.verify_url
    kind, typesetter = bundle.permit_type, bundle.typesetter
    spec = SignatureSpec(
        FIELD,
        kind.title,
        bundle.office.city,
        certify=True,
        permission=certified(kind.procedure),
        appearance=QrCode(url),
    )
    signer = (ExpectedSignature(FIELD, paper.key.certificate_sha256, certify=True, permission=spec.permission),)

    def make(page: dict[str, Any]) -> object:
        typeset = typesetter.typeset(page, photo=None, timestamp=now())
        preview = prepare(typeset, typesetter.files, kind.procedure, page)
        signed = sign(preview, paper.key, spec)
        return prove(signed.pdf, Expectation(preview, signer, visible=(paper.row.number,), qr_url=url))

    return make


def _plain(paper: Printed) -> Callable[[dict[str, Any]], object]:
    """The signer is loaded once, as pyHanko's documentation does it; the key is the same file."""
    root, kind = paper.bundle.typesetter._root, paper.bundle.permit_type
    signer = plain.open_signer(paper.key_file, paper.passphrase)

    def make(page: dict[str, Any]) -> object:
        pdf = plain.typeset(root, f"{kind.office}/{kind.code}/permit.typ", page, now())
        return plain.sign(pdf, signer, root / FONT, paper.row.verify_url, kind.title)

    return make


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
