"""A zygote, or a fresh child, whose inspector does what the file tells it: stands for one that a hostile file took over."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import signing.inspection
from signing import Inspection, isolation, zygote

honest = signing.inspection.inspect


def inspect(pdf, trust):
    name, _, rest = pdf.partition(b"\n")[2].decode("latin-1").partition(" ")
    return ACTS[name](rest) if name in ACTS else honest(pdf, trust)


def eat(_rest):
    hoard = []
    while True:
        hoard.append(bytearray(32 << 20))


def spin(_rest):
    while True:
        pass


def sleep(_rest):
    time.sleep(3600)


def deaf(_rest):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(3600)


def fork(_rest):
    """What root may still start ends with the group."""
    if os.fork():
        os._exit(0)
    time.sleep(3600)


def flood(_rest):
    return Inspection("00", "inspected", values=(("a", "x" * (5 << 20)),))


def lie(_rest):
    return Inspection("00", "inspected")


def crash(_rest):
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(_rest):
    raise SystemExit(0)


def write(path):
    Path(path).write_bytes(b"x")
    return lie(path)


def call(port):
    socket.create_connection(("127.0.0.1", int(port)), timeout=2)
    return lie(port)


def reveal(path):
    """Say what it sees, in the name of the file that it was given."""
    files = len(list(Path("/proc/self/fd").iterdir()))
    told = f"{','.join(sorted(os.environ))} {files} {os.nice(0)}"
    return Inspection(hashlib.sha256(b"%PDF-1.7\nreveal " + path.encode()).hexdigest(), "undetermined", told)


ACTS = {
    name: act
    for name, act in list(globals().items())
    if callable(act) and getattr(act, "__module__", "") == __name__ and name != "inspect"
}
signing.inspection.inspect = inspect

if __name__ == "__main__":
    if len(sys.argv) == 2:
        zygote.main(socket.socket(fileno=int(sys.argv[1])))
    else:
        isolation._child(int(sys.argv[1]), int(sys.argv[2]))
