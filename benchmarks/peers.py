"""Other signers, each a process of its own that signs one PDF with one key whenever it is asked, and says what that cost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from service.settings import PROJECT

HERE = Path(__file__).parent
PYTHON = PROJECT / "build" / "peers" / "endesive" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Paper:
    """What every peer signs, and with which key: files."""

    pdf: Path
    key: Path
    passphrase: Path


@dataclass(frozen=True, slots=True)
class Kind:
    """One program with its ways to sign; `warm_up` signatures go before, so that a just-in-time compiler has seen all."""

    name: str
    command: tuple[str, ...]
    ways: tuple[str, ...]
    warm_up: int

    def lacking(self) -> str:
        """Say why it can't be measured here, or nothing."""
        program = self.command[0]
        if shutil.which(program) is None:
            return "node is missing" if program == "node" else "its environment is missing"
        if program == "node" and not (HERE / "node" / "node_modules").is_dir():
            return "its packages are missing"
        return ""


NODE = ("node", str(HERE / "node" / "sign.mjs"))
KINDS = (
    Kind("endesive", (str(PYTHON), str(HERE / "endesive" / "sign.py")), ("endesive", "endesive visible"), 3),
    Kind("@libpdf/core", NODE, ("libpdf",), 400),
    Kind("@signpdf", NODE, ("signpdf", "signpdf visible"), 10),
)


class Peer:
    """A running peer. `sign` gives the CPU seconds of one signature, as the process itself counts them."""

    def __init__(self, kind: Kind, paper: Paper) -> None:
        command: Sequence[str | Path] = (*kind.command, paper.pdf, paper.key, paper.passphrase)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def sign(self, way: str, file: Path | None = None) -> float:
        """Sign once, into `file` if one is given."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{way} > {file}\n" if file else f"{way}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{way} ended without an answer")
        return float(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


def start(stack: ExitStack, paper: Paper) -> tuple[dict[str, Peer], dict[str, str]]:
    """Start every peer that is installed: the peer by way, and by name of the others what is missing."""
    running: dict[str, Peer] = {}
    missing: dict[str, str] = {}
    for kind in KINDS:
        lacking = kind.lacking()
        if lacking:
            missing[kind.name] = lacking
            continue
        peer = stack.enter_context(Peer(kind, paper))
        running |= dict.fromkeys(kind.ways, peer)
    return running, missing


def warm_up(running: dict[str, Peer], *, quick: bool) -> None:
    """Let every way sign as often as it takes to be fast."""
    for kind in KINDS:
        for way in set(kind.ways) & set(running):
            for _ in range(1 if quick else kind.warm_up):
                running[way].sign(way)
