"""What a signature costs beside the bare mathematics, with its levels and its proof, and beside what others take for one."""

from __future__ import annotations

import gc
import io
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import pikepdf
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from benchmarks import authority, peers, plain
from benchmarks.against_plain import FONT, Printed, now, printed
from benchmarks.figures import Ratio, Spread, ratio, spread
from benchmarks.office import NUMBER_FIRST, bench, open_office
from service.codes import crockford
from service.document.fields import prepare
from service.steps.sign import FIELD
from signing import (
    Evidence,
    Expectation,
    ExpectedExtension,
    ExpectedSignature,
    Frame,
    OnlineRevocation,
    QrCode,
    SignatureSpec,
    Signed,
    extend_lt,
    gather,
    prove,
    prove_extension,
    sign,
)
from signing.appearance import qr_modules

WARM_UP = 5
PAPERS = 5
"""So many in a row for who is quick: a batch finds its code and data in the processor's cache."""
BARE_TIMES = 20
"""So often a round: one is too short for the clock."""
BARE, VISIBLE, FRAME, LT, PROOF, LT_PROOF = (
    "bare key.sign, RSA-2048",
    "Teken B-B, visible, QR",
    "Teken B-B, a thin frame",
    "Teken B-LT in a batch, visible, QR",
    "proof of the visible B-B",
    "proof of the B-LT extension",
)
PYHANKO, PYHANKO_VISIBLE = "pyHanko, invisible", "pyHanko, visible, QR"
NAMES = {
    "endesive": "endesive, invisible",
    "endesive visible": "endesive, visible, text",
    "libpdf": "@libpdf/core, invisible",
    "signpdf": "@signpdf, invisible",
    "signpdf visible": "@signpdf, visible, empty box",
}
OURS = frozenset({BARE, VISIBLE, FRAME, LT, PROOF, LT_PROOF})
QUICK = OURS | {NAMES["libpdf"]}
AT_MOST = {(VISIBLE, BARE): 20.0, (LT, VISIBLE): 1.4, (PROOF, VISIBLE): 0.5}


@dataclass(frozen=True, slots=True)
class Race:
    """CPU seconds of one signature by candidate, the ratios that matter, and which peers could not run and why."""

    spreads: dict[str, Spread]
    ratios: dict[tuple[str, str], Ratio]
    missing: dict[str, str]
    rounds: int


def measure(folder: Path, rounds: int, *, quick: bool = False) -> Race:
    """Let all candidates sign in turns, forwards and backwards, as a batch does: the quick ones several papers one after another.

    Every round has papers of its own.
    """
    with ExitStack() as stack:
        warm_up, papers = (1, 2) if quick else (WARM_UP, PAPERS)
        track = _Track(folder, papers)
        running, missing = peers.start(stack, track.paper())
        track.check(running)
        peers.warm_up(running, quick=quick)
        ways: dict[str, Callable[[], float]] = track.ways() | {
            NAMES[way]: lambda way=way, peer=peer: peer.sign(way)  # type: ignore[misc]
            for way, peer in running.items()
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(warm_up + rounds):
            track.next_papers()
            for name in list(ways)[:: 1 if turn % 2 else -1]:
                gc.collect()  # what one leaves behind is no cost of the next
                seconds = [track.on(paper, ways[name]) for paper in range(papers if name in QUICK else 1)]
                if turn >= warm_up:
                    taken[name].append(mean(seconds))
    others = [name for name in taken if name not in OURS]
    pairs = [
        *AT_MOST,
        *((name, VISIBLE) for name in (LT_PROOF, *others)),
        *((name, FRAME) for name in others if "invisible" in name),
    ]
    ratios = {(above, below): ratio(taken[above], taken[below]) for above, below in pairs}
    return Race({name: spread(times) for name, times in taken.items()}, ratios, missing, rounds)


@dataclass(frozen=True, slots=True)
class _Done:
    """One paper at B-B, at B-T, and extended to B-LT."""

    signed: bytes
    stamped: bytes
    longer: bytes


class _Track:
    """The papers, one for each round, and our own ways to sign the present one."""

    def __init__(self, folder: Path, papers: int) -> None:
        self._folder, self._many = folder, papers
        self._printed: Printed = printed(bench(open_office(folder / "office", "rsa2048"), NUMBER_FIRST))
        self._turn = 0
        self._done: dict[int, _Done] = {}
        self.next_papers()
        keys = self._printed.key_file.parent
        self._timestamper = authority.timestamper(keys)
        self._trust = authority.trust(keys)
        self._evidence = self._gathered(keys)
        self._simple = plain.open_signer(self._printed.key_file, self._printed.passphrase)

    def next_papers(self) -> None:
        """Typeset and prepare the next permits; their QRs are their own, and no process has drawn them before."""
        self._papers = [self._next() for _ in range(self._many)]
        self._done.clear()
        self._paper, (self._preview, self._spec) = 0, self._papers[0]

    def _next(self) -> tuple[bytes, SignatureSpec]:
        self._turn += 1
        bundle, page = self._printed.bundle, self._printed.page_of(self._turn)
        kind, typesetter = bundle.permit_type, bundle.typesetter
        typeset = typesetter.typeset(page, photo=None, timestamp=now())
        look = QrCode(f"{self._printed.row.verify_url.rpartition('/')[0]}/{crockford(16)}")
        spec = SignatureSpec(FIELD, kind.title, bundle.office.city, certify=True, appearance=look)
        return prepare(typeset, typesetter.files, kind.procedure, page), spec

    def on(self, paper: int, way: Callable[[], float]) -> float:
        """Let a candidate work on one of the papers."""
        self._paper, (self._preview, self._spec) = paper, self._papers[paper]
        return way()

    def paper(self) -> peers.Paper:
        """Put the present paper where the peers find it, with a classic cross-reference table: not all read the other kind."""
        pdf, secret = self._folder / "paper.pdf", self._folder / "passphrase"
        with pikepdf.open(io.BytesIO(self._preview)) as document:
            document.save(pdf, object_stream_mode=pikepdf.ObjectStreamMode.disable, fix_metadata_version=False)
        secret.write_bytes(self._printed.passphrase)
        return peers.Paper(pdf, self._printed.key_file, secret)

    def check(self, running: dict[str, peers.Peer]) -> None:
        """Refuse to time a peer that doesn't sign."""
        for way, peer in running.items():
            file = self._folder / f"{way}.pdf"
            peer.sign(way, file)
            if not plain.is_signed(file.read_bytes()):
                raise RuntimeError(f"{way} made no valid signature")

    def ways(self) -> dict[str, Callable[[], float]]:
        """Return our candidates and pyHanko by name; each gives the CPU seconds of one signature."""
        return {
            BARE: self._bare(),
            VISIBLE: self._visible,
            FRAME: lambda: _timed(lambda: self._sign(replace(self._spec, appearance=Frame()))),
            LT: self._lt,
            PROOF: self._proof,
            LT_PROOF: self._lt_proof,
            PYHANKO: lambda: _timed(self._plain_invisible),
            PYHANKO_VISIBLE: lambda: _timed(self._plain_visible),
        }

    def _bare(self) -> Callable[[], float]:
        secret = self._printed.passphrase
        key = pkcs12.load_key_and_certificates(self._printed.key_file.read_bytes(), secret)[0]
        digest, scheme = bytes(32), (padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))

        def often() -> float:
            return _timed(lambda: [key.sign(digest, *scheme) for _ in range(BARE_TIMES)]) / BARE_TIMES  # type: ignore[union-attr,call-arg,arg-type]

        return often

    def _sign(self, spec: SignatureSpec, timestamper: authority.LocalTimestamper | None = None) -> Signed:
        qr_modules.cache_clear()
        return sign(self._preview, self._printed.key, spec, timestamper=timestamper)

    def _visible(self) -> float:
        return _timed(lambda: self._sign(self._spec))

    def _lt(self) -> float:
        """The client's part of B-LT: sign, ask for the time-stamp and check it, add the evidence that the batch shares."""
        self._timestamper.spent.clear()
        whole = _timed(self._extended)
        return whole - sum(self._timestamper.spent)

    def _extended(self) -> tuple[bytes, bytes]:
        stamped = self._sign(self._spec, self._timestamper).pdf
        return stamped, extend_lt(stamped, self._evidence).pdf

    def _proof(self) -> float:
        """As another process finds it: without the code that the signer has drawn."""
        signed, look = self._made().signed, self._spec.appearance
        assert isinstance(look, QrCode)
        signer = (ExpectedSignature.by(self._printed.key, self._spec.field, certify=True),)
        expected = Expectation(self._preview, signer, visible=(self._printed.row.number,), qr_url=look.url, level="B-B")
        qr_modules.cache_clear()
        return _timed(lambda: prove(signed, expected))

    def _lt_proof(self) -> float:
        made, trust = self._made(), self._trust
        expected = ExpectedExtension((), "B-LT", self._evidence, trust.anchors_der, trust.intermediates_der)
        return _timed(lambda: prove_extension(made.longer, made.stamped, expected))

    def _made(self) -> _Done:
        """What is to be proven. All papers are made before the first proof: proofs stand in a row as signatures do."""
        if not self._done:
            for at, paper in enumerate(self._papers):
                self._preview, self._spec = paper
                self._done[at] = _Done(self._sign(self._spec).pdf, *self._extended())
            self._preview, self._spec = self._papers[self._paper]
        return self._done[self._paper]

    def _plain_visible(self) -> bytes:
        url, root = self._printed.row.verify_url, self._printed.bundle.typesetter._root
        return plain.sign(self._preview, self._simple, root / FONT, url, self._spec.reason)

    def _plain_invisible(self) -> bytes:
        return plain.sign_invisibly(self._preview, self._simple, self._spec.reason)

    def _gathered(self, keys: Path) -> Evidence:
        """Collect the evidence once, as a batch does."""
        stamped = self._sign(self._spec, self._timestamper)
        source = OnlineRevocation(given=authority.crls(keys))
        return gather(stamped.pdf, self._trust, source, datetime.now(UTC))


def _timed(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
