"""An upstream system: posts each case under an idempotency key until it has an answer, and keeps every answer it saw.

It reads orders (one JSON case a line) from a file that grows, from the beginning each time it is started: like an upstream
that was killed and does not know what arrived.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

from service import idempotency, intake
from service.clients import Client
from service.errors import IdempotencyRunning
from service.store import StoreBusy
from tests.faults.waiting import opened

PAUSE = 0.05
SYNC = os.fsync  # what a test breaks is the office's disk, not ours


def main() -> int:
    idempotency.RUNNING_SECONDS = 0.5  # a killed request is taken for dead after half a second, not after a minute
    folder = Path(os.environ["UJI_FOLDER"])
    teken = opened()
    answered = {ack["key"] for ack in lines(folder / "acks")}
    position = 0
    while True:
        orders = lines(folder / "orders")
        for order in orders[position:]:
            if order["key"] not in answered:
                started = time.monotonic()
                reply = _post(teken, order)
                took = round(time.monotonic() - started, 3)
                append(folder / "acks", {"key": order["key"], "status": reply.status, "body": reply.body, "took": took})
        position = len(orders)
        time.sleep(PAUSE)


def _post(teken, order: dict):
    raw = json.dumps(order["case"]).encode()
    client = Client(**order["client"])
    while True:
        try:
            return intake.accept(teken, client, json.loads(raw), raw, order["key"])
        except (IdempotencyRunning, StoreBusy):
            time.sleep(PAUSE)


def lines(path: Path) -> list[dict]:
    """Every complete line; a half one (its writer was killed) is not there yet."""
    if not path.exists():
        return []
    return [
        json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n") and line.strip()
    ]


def append(path: Path, record: dict) -> None:
    """Add one line in one write, on disk before it counts, whatever limits the office has."""
    office, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, (json.dumps(record) + "\n").encode())
        SYNC(descriptor)
    finally:
        os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_FSIZE, (office, most))
