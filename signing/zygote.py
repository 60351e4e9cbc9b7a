"""A small process that has the inspector loaded and forks one caged child for each file: no file waits for an interpreter.

It runs no file itself, has one thread, and ends when the process that started it ends. It ends children that outlive their time.
"""

from __future__ import annotations

import array
import gc
import os
import selectors
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

from signing.cage import confine, die_with_parent, inspect_from, without_network
from signing.facts import Trust

ORDER: Final = struct.Struct("<IQd")
"""What comes with a child's socket: processor seconds, bytes of address space, seconds of wall time."""


def main(control: socket.socket) -> None:
    """Serve until the other end of `control` is gone."""
    _load()
    without_network()
    running: dict[int, float] = {}
    with selectors.DefaultSelector() as waiting:
        woken = _woken_by_children()
        waiting.register(control, selectors.EVENT_READ)
        waiting.register(woken, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in waiting.select(_until(running))]
            if woken in ready:
                woken.recv(4096)
            _bury(running)
            if control in ready and not _start(control, running, woken):
                break
    for child in running:
        _end(child)


def _load() -> None:
    """Import all that an inspection needs; what is here now is shared by every child."""
    from signing.inspection import inspect

    assert inspect(b"%PDF-1.7\nstartxref\n0\n%%EOF", Trust(())).outcome == "undetermined"
    gc.collect()
    gc.freeze()


def _woken_by_children() -> socket.socket:
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    return reading


def _until(running: dict[int, float]) -> float | None:
    return max(0.0, min(running.values()) - time.monotonic()) if running else None


def _start(control: socket.socket, running: dict[int, float], woken: socket.socket) -> bool:
    """Fork a child for the socket that was handed over; tell whether there was an order at all."""
    order, asked = _handed_over(control)
    if not order:
        return False
    if asked is None or len(order) != ORDER.size:
        return True
    seconds, memory, wall = ORDER.unpack(order)
    zygote = os.getpid()
    with asked:
        child = os.fork()
        if not child:
            _live(zygote, asked, seconds, memory, (control, woken))
    with suppress(OSError):  # both set it, whoever comes first
        os.setpgid(child, child)
    running[child] = time.monotonic() + wall
    return True


def _handed_over(control: socket.socket) -> tuple[bytes, socket.socket | None]:
    order, ancillary, _, _ = control.recvmsg(ORDER.size, socket.CMSG_SPACE(4))
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            return order, socket.socket(fileno=array.array("i", data[:4])[0])
    return order, None


def _live(zygote: int, asked: socket.socket, seconds: int, memory: int, others: tuple[socket.socket, ...]) -> NoReturn:
    """The child's whole life."""
    code = 1
    try:
        os.setpgid(0, 0)
        die_with_parent()
        if os.getppid() != zygote:  # it was gone before
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            other.close()
        confine(seconds, memory)
        inspect_from(asked)
        code = 0
    except BaseException:  # noqa: BLE001, S110  # whatever it was: it ends here, and no traceback quotes the file
        pass
    finally:
        os._exit(code)


def _bury(running: dict[int, float]) -> None:
    """Take leave of children that ended, with whatever they started; end those whose time is over."""
    while running:
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if dead is None:
            break
        running.pop(dead.si_pid, None)
        _end(dead.si_pid)
    for child in [child for child, until in running.items() if until <= time.monotonic()]:
        del running[child]
        _end(child)


def _end(child: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
