"""Servers that are killed leave their counts behind; the next one removes them, and never those of one that lives."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from service.settings import PROJECT

SERVER = """
import os, sys, time
import service.webserver
assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ, "who only reads the module counts for himself"
assert "prometheus_client" not in sys.modules, "imported too early: it would count for one process"
service.webserver.on_starting(None)
worker = os.fork()
if worker:
    print(worker, os.environ["PROMETHEUS_MULTIPROC_DIR"], flush=True)
time.sleep(600)
"""


@pytest.fixture
def start(tmp_path):
    """Start what gunicorn reads, with one worker; return the process, its worker and its folder."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TEKEN_HOME": str(tmp_path / "home")}
    begun, workers = [], []

    def one():
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
        )
        begun.append(process)
        worker, folder = process.stdout.readline().split()
        workers.append(int(worker))
        return process, int(worker), Path(folder)

    yield one
    for process in begun:
        process.kill()
        process.stdout.close()
        process.wait()
    for worker in workers:
        end(worker)


def end(worker: int) -> None:
    """Kill a process that is not our child, and wait until it is gone."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(worker)
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        assert select.select([handle], [], [], 60)[0]
        os.close(handle)


def test_a_killed_servers_folder_goes_with_its_last_process(start, tmp_path):
    server, worker, folder = start()
    _, _, beside = start()
    stranger = tmp_path / "teken-metrics-older"
    stranger.mkdir()
    server.kill()
    server.wait()
    start()
    assert folder.is_dir()  # its worker lives
    end(worker)
    start()
    assert not folder.exists()
    assert beside.is_dir()
    assert stranger.is_dir()
