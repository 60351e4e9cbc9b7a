"""One machine, embedded defaults: the development PKI, and web, worker and signing process side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from certs.make_dev_pki import KeyKind, make_dev_pki
from service import qr_keys
from service.settings import PROJECT, Settings
from service.sop import load_offices

PROCESSES = ("web", "work", "sign")
GRACE_SECONDS = 10


def certificates(templates: Path, keys: Path, *, key: KeyKind = "rsa2048", now: datetime | None = None) -> None:
    """Make keys and certificates for every person who signs and every seal, as far as they are missing."""
    people, seals, offline = [], [], []
    for office in load_offices(templates).offices.values():
        signing = {role.code for role in office.roles.values() if role.signs}
        people += [
            (f"{office.code}.{p.code}", p.name) for p in office.people if signing & {role for role, *_ in p.roles}
        ]
        if office.seal_name:
            seals.append((f"{office.code}.segel", office.seal_name))
        if office.qr_offline:
            offline.append(office.code)
    make_dev_pki(keys, people, seals, key=key, now=now)
    for code in offline:
        qr_keys.make(keys, code, (keys / "passphrase").read_bytes().strip())


def start(settings: Settings, processes: Sequence[str] = PROCESSES) -> list[subprocess.Popen[bytes]]:
    """Start these processes with these settings; they open the same database and archive."""
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", **_as_environment(settings)}
    web = [
        "-m",
        "gunicorn",
        "--config",
        "python:service.webserver",
        "--bind",
        settings.listen,
        "service.app:from_environment()",
    ]
    commands = [web if name == "web" else ["worker.py", name] for name in processes]
    return [
        subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=environment, stdout=sys.stderr)  # noqa: S603 - our own programs
        for command in commands
    ]


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask them to end after the step at hand, then insist."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(settings: Settings) -> int:
    """Serve until Ctrl-C or until one of the three ends."""
    certificates(settings.templates, settings.keys)
    processes = start(settings)
    print(f"Teken melayani di http://{settings.listen} (Ctrl-C untuk berhenti)")
    return wait(processes)


def wait(processes: list[subprocess.Popen[bytes]]) -> int:
    """Wait for Ctrl-C or the end of any process; stop them all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        return 1  # one of the three ended by itself
    except KeyboardInterrupt:
        return 0
    finally:
        stop(processes)


def _as_environment(settings: Settings) -> dict[str, str]:
    given = settings.model_dump(exclude_unset=True)
    return {f"TEKEN_{name.upper()}": str(value) for name, value in given.items() if value not in (None, "")}
