"""What others still know of the lost time: events that were delivered (JSON lines), and signed marks and checkpoints."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from service.canonical import GENESIS, digest, dumps
from service.checkpoint import Checkpoint, CheckpointInvalid
from service.checkpoint import read as read_checkpoint
from service.errors import TekenError
from service.highwater import Mark
from service.store.tables import clients, events

if TYPE_CHECKING:
    from service.wiring import Teken


class TraceUnreadable(TekenError):
    """A file of events or a checkpoint is not what it should be: nothing was entered."""

    code = "trace_unreadable"
    status = 422


@dataclass(frozen=True, slots=True)
class Event:
    """One delivered event. `office` and `client` are known where the checkpoints prove it, word by word."""

    seq: int
    type: str
    at: str
    permit: str | None
    data: Mapping[str, Any]
    head: str
    office: str | None = None
    client: str | None = None

    @property
    def proven(self) -> bool:
        """Its hash is what our own signature says."""
        return self.office is not None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that was handed in. `events`: those that this database does not have, in their order."""

    events: tuple[Event, ...] = ()
    last: Mapping[str, int] = field(default_factory=dict)
    length: int = 0


def read(teken: Teken, event_files: tuple[Path, ...] = (), mark_files: tuple[Path, ...] = ()) -> Told:
    """Read files of events (answers of the feed, or one event a line) and of marks or checkpoints.

    Raises TraceUnreadable: a line that is no event, or a checkpoint that is not signed by us.
    """
    found: dict[int, tuple[Mapping[str, Any], Checkpoint]] = {}
    for path in event_files:
        for one in _lines(path):
            noted = _noted(teken, str(one.get("checkpoint")), path)
            if noted.length != one.get("seq") or not {"id", "type", "at", "data"} <= one.keys():
                raise TraceUnreadable(file=path.name)
            found[noted.length] = (one, noted)
    marks = [_mark(teken, path) for path in mark_files]
    last: dict[str, int] = {}
    for mark in marks:
        for name, no in (mark.last if isinstance(mark, Mark) else {}).items():
            last[name] = max(no, last.get(name, 0))
    length = max([0, *found, *(one.length for one in marks)])
    return Told(tuple(_unknown(teken, found)), last, length)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                told = json.loads(line)
                yield from told.get("events", [told])
    except (ValueError, TypeError, KeyError):
        raise TraceUnreadable(file=path.name) from None


def _noted(teken: Teken, note: str, path: Path) -> Checkpoint:
    try:
        return read_checkpoint(note, teken.notary.verifier)
    except CheckpointInvalid:
        raise TraceUnreadable(file=path.name) from None


def _mark(teken: Teken, path: Path) -> Mark | Checkpoint:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise TraceUnreadable(file=path.name) from None
    return Mark.read(text, teken.notary) or _noted(teken, text, path)


def _unknown(teken: Teken, found: Mapping[int, tuple[Mapping[str, Any], Checkpoint]]) -> Iterator[Event]:
    with teken.db.read() as connection:
        offices = sorted({str(code) for code in teken.offices.offices})
        owners = [(row.office, row.id) for row in connection.execute(select(clients.c.office, clients.c.id))]
        for seq in sorted(found):
            one, noted = found[seq]
            here = {
                row.seq: row.hash
                for row in connection.execute(
                    select(events.c.seq, events.c.hash).where(events.c.seq.in_([seq, seq - 1]))
                )
            }
            if here.get(seq) == noted.head:
                continue
            before = [found[seq - 1][1].head] if seq - 1 in found else [here.get(seq - 1, GENESIS)]
            whose = [*owners, *((office, None) for office in offices)]
            proven = next(
                (who for who, prev in itertools.product(whose, before) if _hash(one, who, prev) == noted.head),
                (None, None),
            )
            yield Event(seq, one["type"], one["at"], one.get("permit"), one["data"], noted.head, *proven)


def _hash(one: Mapping[str, Any], who: tuple[str, str | None], prev: str) -> str:
    fields = {name: one.get(name) for name in ("seq", "id", "type", "at", "permit")}
    office, client = who
    return digest({**fields, "office": office, "client": client, "data": dumps(dict(one["data"])), "prev": prev})
