"""`make hosts`: the same cases twice, undisturbed and with hosts killed, cut off and restarted; then the judge reads what is left.

python -m tests.hosts.run [--count 2000] [--batch 500] [--only calm|rough]
python -m tests.hosts.run --down        # takes away what a crashed run left
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from service.store import StoreBusy
from tests.faults.oracle import Evidence, Violation, judge
from tests.hosts.network import down
from tests.hosts.outside import Outside, wait_until
from tests.hosts.town import Town, town

SECONDS_A_CASE = 6
"""Longer than anything takes on a busy machine; then the run is given up."""
OUTAGE = 20
"""Longer than the lease of these workers: what they held is taken over, and their late work is refused."""


def main(arguments: list[str]) -> int:
    asked = _asked(arguments)
    if os.geteuid() != 0:
        print("make hosts: only root may make network namespaces; nothing was tried", file=sys.stderr)
        return 2
    if asked.down:
        down()
        return 0
    took = {}
    for name in (asked.only,) if asked.only else ("calm", "rough"):
        violations, took[name] = _run(name, asked.count, asked.batch)
        for one in violations[:50]:
            print(f"  {one.invariant} {one.where}: {one.what}")
        if violations:
            return 1
    if len(took) == 2:
        print(f"disturbed / undisturbed: {took['rough'] / took['calm']:.2f}")
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make hosts")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--only", choices=("calm", "rough"))
    parser.add_argument("--down", action="store_true")
    return parser.parse_args(arguments)


def _run(name: str, count: int, tray: int) -> tuple[list[Violation], float]:
    folder = Path(tempfile.mkdtemp(prefix="teken-hosts-", dir="/tmp"))
    try:
        with town(folder) as built:
            return _played(name, built, count, tray)
    except BaseException:
        for log in sorted(folder.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}", file=sys.stderr)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _played(name: str, built: Town, count: int, tray: int) -> tuple[list[Violation], float]:
    outside, began = Outside(built, count, tray), time.monotonic()
    troubles = threading.Thread(target=_trouble, args=(built, outside), daemon=True) if name == "rough" else None
    outside.begin()
    if troubles:
        troubles.start()

    def alive() -> None:
        ended = [f"{host.name} {one}" for host in built.hosts.values() for one in host.ended()]
        if ended or outside.faults:
            raise RuntimeError(f"ended by itself: {ended}; outside: {outside.faults}")

    try:
        wait_until(outside.settled, 180 + SECONDS_A_CASE * outside.total, alive)
        took = time.monotonic() - began
        if troubles:
            troubles.join(OUTAGE * 8)
            assert not troubles.is_alive(), "not all that was to go wrong did"
    except BaseException:
        with suppress(StoreBusy):
            print(f"{len(outside.acks)}/{outside.total} answered, {outside.states()}", file=sys.stderr)
        raise
    issued, verifier = outside.issued(), outside.teken.notary.verifier
    archive = _mirror(outside, built.folder / "mirror")
    outside.end()
    found = judge(Evidence(built.database, archive, verifier, outside.acks, outside.feed))
    found += outside.letters.judged(outside.feed)
    if issued != outside.total:
        found.append(Violation("I1", name, f"{outside.total} ordered, {issued} issued"))
    print(
        f"{name}: {issued} issued of {outside.total} ({tray} in one batch, resumed {outside.resumed} times) in {took:.0f} s; "
        f"{len(outside.feed)} events heard, {outside.letters.sent} webhooks for them; upstream asked again {outside.asked_again} times; {len(found)} violations",
        flush=True,
    )
    return found, took


def _trouble(built: Town, outside: Outside) -> None:
    """One thing after the other, each when so much is issued."""

    def again(host: str) -> Callable[[], None]:
        return lambda: built.start(host)

    def cut_off(host: str) -> None:
        built.hosts[host].unplug()
        time.sleep(OUTAGE)
        built.hosts[host].plug_in()

    def restart(engine: str) -> None:
        built.kill(engine)
        time.sleep(1)
        built.start(engine)

    plan: list[tuple[float, str, Callable[[], None]]] = [
        (0.05, "web-a loses power", lambda: built.kill("web-a")),
        (0.10, "redis restarts empty", lambda: restart("redis")),
        (0.15, "work-a loses power", lambda: built.kill("work-a")),
        (0.20, "web-a is back", again("web-a")),
        (0.25, "work-b is cut off", lambda: cut_off("work-b")),
        (0.30, "work-a is back", again("work-a")),
        (0.45, "postgresql stops at once and starts", lambda: restart("database")),
        (0.60, "web-b is cut off", lambda: cut_off("web-b")),
        (0.70, "the signing host is cut off", lambda: cut_off("sign")),
        (0.80, "redis restarts empty", lambda: restart("redis")),
    ]
    for share, what, act in plan:
        wait_until(lambda share=share: outside.issued() >= share * outside.total or outside.over.is_set(), 86_400)
        print(f"  at {outside.issued() if share else 0}: {what}", flush=True)
        act()


def _mirror(outside: Outside, folder: Path) -> Path:
    """Fetch every object under its name, as the judge reads files."""
    for name in (one.name for one in outside.teken.archive.names()):
        path = folder / name[:2] / name[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(outside.teken.archive.get(name))
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
