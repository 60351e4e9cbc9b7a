"""The cage against an inspector that was taken over: real children, real caps, and nothing is left of any."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from service.settings import PROJECT
from signing import Trust, inspect, inspect_isolated, isolation

MISBEHAVING = Path(__file__).with_name("misbehaving.py")
NOBODY = Trust(())


def told(act: str) -> bytes:
    return b"%PDF-1.7\n" + act.encode()


@pytest.fixture
def warm():
    """This process with a zygote, as a web process has one."""
    isolation.let_go()
    isolation.keep_warm()
    yield isolation._kept(start=False)
    isolation.let_go()


@pytest.fixture(params=["forked", "fresh"])
def taken_over(request, monkeypatch, misbehaving):
    """Both ways to a child, each with the inspector that does what the file says."""
    isolation.let_go()
    monkeypatch.setattr(isolation, "_ZYGOTE", (sys.executable, misbehaving))
    monkeypatch.setattr(isolation, "_FRESH", (sys.executable, misbehaving))
    if request.param == "forked":
        isolation.keep_warm()
        isolation.inspect_isolated(told("nothing"), NOBODY)  # it has started
    yield request.param
    isolation.let_go()
    within(60, lambda: not running(misbehaving))


@pytest.fixture
def misbehaving(tmp_path) -> str:
    """The program under a name of this test's own, by which its processes are found again."""
    return str(shutil.copy(MISBEHAVING, tmp_path / "misbehaving.py"))


def running(program: str) -> list[str]:
    """Processes of this program, whoever owns them by now."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and program.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found


@pytest.mark.parametrize("act", ["eat", "spin", "sleep", "deaf", "fork", "flood", "lie", "crash", "leave"])
def test_whatever_it_does_nothing_comes_of_it(taken_over, act, monkeypatch):
    monkeypatch.setattr(isolation, "_STARTING", 0.5)
    began = time.monotonic()
    found = inspect_isolated(told(act), NOBODY, seconds=1, memory=512 << 20)
    assert (found.outcome, found.signatures, found.values) == ("undetermined", (), ())
    assert found.cause in {"timeout", "killed", "nonsense"}
    assert time.monotonic() - began < 120


def test_it_writes_nothing(taken_over, tmp_path):
    written = tmp_path / "written"
    assert inspect_isolated(told(f"write {written}"), NOBODY).cause == "killed"
    assert not written.exists() or not written.stat().st_size


def test_it_reaches_nobody(taken_over):
    """Where the kernel lets a process have a network of its own, as Debian's does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert inspect_isolated(told(f"call {listening.getsockname()[1]}"), NOBODY).cause == "killed"
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_it_sees_no_environment_and_few_files(taken_over, monkeypatch):
    monkeypatch.setenv("TEKEN_DATABASE_URL", "postgresql://secret@nowhere/x")
    names, files, nice = inspect_isolated(told("reveal x"), NOBODY).cause.split()
    assert set(names.split(",")) <= {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_ALL", "LC_CTYPE"}
    assert int(files) < 10
    assert int(nice) >= 10


def test_after_a_hostile_file_the_next_one_is_answered(number_after, pki, warm):
    inspect_isolated(b"%PDF-1.7\n" + b"[" * 3_000_000, pki.trust, seconds=1)
    assert inspect_isolated(number_after.final, pki.trust) == inspect(number_after.final, pki.trust)
    assert isolation._kept(start=False).process.pid == warm.process.pid


def test_a_zygote_that_died_is_replaced(number_after, pki, warm):
    expected = inspect(number_after.final, pki.trust)
    warm.process.send_signal(signal.SIGKILL)
    warm.process.wait()
    assert inspect_isolated(number_after.final, pki.trust) == expected
    assert isolation._kept(start=False).process.pid != warm.process.pid


def test_a_zygote_that_dies_meanwhile_changes_no_answer(number_after, pki, warm):
    """The answer is the true one, or none: never half of one."""
    expected, found = inspect(number_after.final, pki.trust), []
    asking = [
        threading.Thread(target=lambda: found.append(inspect_isolated(number_after.final, pki.trust))) for _ in range(4)
    ]
    for thread in asking:
        thread.start()
    time.sleep(0.1)
    warm.process.send_signal(signal.SIGKILL)
    for thread in asking:
        thread.join()
    assert len(found) == 4
    assert all(one == expected or (one.outcome, one.signatures) == ("undetermined", ()) for one in found)
    assert inspect_isolated(number_after.final, pki.trust) == expected


@pytest.fixture
def dying():
    """A zygote that the kernel is taking down: its files are closed, and it can't be waited for yet. Gives the end that closes."""
    isolation.let_go()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with subprocess.Popen(["/bin/sleep", "60"]) as process, theirs:
        isolation._zygote = isolation._Zygote(process, ours, os.getpid())
        yield theirs
        process.kill()
    isolation.let_go()


@pytest.mark.parametrize("asked", ["before", "after"])
def test_a_zygote_that_is_going_changes_no_answer(number_after, pki, dying, asked):
    if asked == "after":
        dying.close()
    with ThreadPoolExecutor() as pool:
        found = pool.submit(inspect_isolated, number_after.final, pki.trust)
        if asked == "before":
            select.select([dying], [], [])
            dying.close()
        assert found.result() == inspect(number_after.final, pki.trust)


def test_a_zygote_let_go_by_another_thread_meanwhile_changes_no_answer(number_after, pki, dying):
    """Who asks finds the line to it closed on this side, which is no file descriptor any more."""
    isolation._zygote.control.close()
    assert inspect_isolated(number_after.final, pki.trust) == inspect(number_after.final, pki.trust)


def test_what_the_zygote_ends_for_its_time_is_called_so_however_late_we_look(misbehaving, monkeypatch):
    """Its watch and ours begin apart: a process that has to wait in between finds the child already ended."""
    isolation.let_go()
    monkeypatch.setattr(isolation, "_ZYGOTE", (sys.executable, misbehaving))
    monkeypatch.setattr(isolation, "_STARTING", 1.0)
    exchange = isolation._exchange

    def late(*asked):
        within(60, lambda: len(running(misbehaving)) >= 2)
        within(60, lambda: len(running(misbehaving)) < 2)
        return exchange(*asked)

    isolation.keep_warm()
    try:
        isolation.inspect_isolated(told("nothing"), NOBODY)  # it has started
        within(60, lambda: len(running(misbehaving)) < 2)
        monkeypatch.setattr(isolation, "_exchange", late)
        assert inspect_isolated(told("sleep"), NOBODY, seconds=1).cause == "timeout"
    finally:
        isolation.let_go()


def test_a_zygote_is_let_go_though_a_forked_process_holds_its_line_too(warm):
    """Else who lets go would wait for the end of a process that knows nothing of it."""
    gate, shut = os.pipe()
    sibling = os.fork()
    if not sibling:
        os.close(shut)
        os.read(gate, 1)
        os._exit(0)
    os.close(gate)
    letting_go = threading.Thread(target=isolation.let_go, daemon=True)
    try:
        letting_go.start()
        letting_go.join(60)
        assert warm.process.poll() is not None
    finally:
        os.close(shut)
        os.waitpid(sibling, 0)
        letting_go.join(60)


def test_several_at_once_keep_their_answers_apart(number_after, pki, warm):
    files = [number_after.final, number_after.head, b"no pdf", number_after.final[:-1]]
    expected = [inspect(pdf, pki.trust) for pdf in files]
    found: dict[int, object] = {}

    def ask(place: int) -> None:
        found[place] = inspect_isolated(files[place % 4], pki.trust)

    asking = [threading.Thread(target=ask, args=(place,)) for place in range(12)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert [found[place] for place in range(12)] == expected * 3


def test_no_orphan_is_left_of_a_killed_process(misbehaving):
    """A web process that is killed while its child hangs takes zygote and child along."""
    script = (
        "import threading, time, signing.isolation as i\n"
        f"from signing import Trust\ni._ZYGOTE = {(sys.executable, misbehaving)!r}\n"
        "i.keep_warm()\n"
        "threading.Thread(target=i.inspect_isolated, args=(b'%PDF-1.7\\nsleep', Trust(()))).start()\n"
        "time.sleep(3600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT)
    try:
        within(120, lambda: len(running(misbehaving)) >= 2)
    finally:
        process.kill()
        process.wait()
    within(60, lambda: not running(misbehaving))


def test_a_zygote_has_one_thread(warm):
    inspect_isolated(b"%PDF-1.7\nx", NOBODY)
    assert len(list(Path(f"/proc/{warm.process.pid}/task").iterdir())) == 1


def within(seconds: float, holds) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
