"""Whoever lists the machine's processes sees no secret in their arguments, while web, worker and signing process run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.settings import PROJECT
from tests.support.servers import free_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
PROCESSES = 4  # the command, web, worker, signing


def family(pid: int) -> dict[int, str]:
    """The arguments of a process and all below it."""
    parents, arguments = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            arguments[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return {one: arguments[one] for one in found if one in arguments}


def test_no_argument_of_any_process_is_a_secret(tmp_path, keys):
    home = tmp_path / "home"
    listen = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "TEKEN_HOME": str(home), "TEKEN_KEYS": str(keys), "TEKEN_LISTEN": listen}
    command = [sys.executable, "-m", "service.cli", "run"]
    running = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            seen = family(running.pid)
            if len(seen) >= PROCESSES and (home / "data.keys").exists():
                break
            time.sleep(0.05)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)
    assert len(seen) >= PROCESSES
    secrets = {(keys / "passphrase").read_text().strip()}
    secrets |= {line.split(" ")[1] for line in (home / "data.keys").read_text().splitlines()}
    assert {len(one) > 5 for one in secrets} == {True}
    assert [text for text in seen.values() for one in secrets if one in text] == []
    assert [text for text in seen.values() if "--pass" in text.lower() or "postgresql://" in text] == []


def test_no_command_takes_a_secret_as_an_argument():
    """Passphrases and keys are typed, piped, or in files: no option asks for one."""
    import argparse

    from service.cli import _parser

    def options(parser: argparse.ArgumentParser) -> list[str]:
        found = [name for action in parser._actions for name in (*action.option_strings, action.dest)]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                found += [name for inner in action.choices.values() for name in options(inner)]
        return found

    named = {name.strip("-") for name in options(_parser())}
    assert len(named) > 40
    assert {one for one in named if {"password", "passphrase", "secret", "pin", "token"} & set(one.split("-"))} == {
        "passphrase-stdin"
    }
