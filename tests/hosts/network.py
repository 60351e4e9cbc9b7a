"""Hosts of one machine, each with its own network: namespaces on a bridge. A host can be unplugged, killed and plugged in again."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "tknh"
BRIDGE = f"{PREFIX}-br"
NET = "10.77.31"
HERE = f"{NET}.1"
"""The address of this machine itself, from which the run is driven."""
PATIENCE_SECONDS = 60


@dataclass
class Host:
    """One host: its name, its address, and the processes that were started on it."""

    name: str
    number: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def space(self) -> str:
        return f"{PREFIX}-{self.name}"

    @property
    def plug(self) -> str:
        return f"{PREFIX}{self.number}"

    @property
    def address(self) -> str:
        return f"{NET}.{self.number}"

    def start(
        self, name: str, command: Sequence[object], environment: Mapping[str, object], log: Path, user: int = 0
    ) -> None:
        """Run a command on this host, as this user."""
        as_whom = [*_with_python(), "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        clean = {one: value for one, value in os.environ.items() if not one.startswith("TEKEN_")}
        with log.open("ab") as out:
            self.running[name] = subprocess.Popen(
                ["ip", "netns", "exec", self.space, *as_whom, *map(str, command)],
                env=clean | {one: str(value) for one, value in environment.items()},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def kill(self, name: str = "", number: int = signal.SIGKILL) -> None:
        """End one process with all its children, or all of the host's: the power goes."""
        for one in [name] if name else list(self.running):
            process = self.running.pop(one)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            process.wait(PATIENCE_SECONDS)
        if not name:
            _end_all_in(self.space)  # children that made a group of their own, as those of PostgreSQL do

    def ended(self) -> list[str]:
        """Name those of its processes that ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def unplug(self) -> None:
        """Nothing comes or goes, and nobody is told: as when a cable is cut."""
        _ip("link", "set", self.plug, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self.plug, "up")


def up(names: Sequence[str]) -> dict[str, Host]:
    """Make the bridge and the hosts; what an earlier run left is taken down first. One run at a time."""
    down()
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("addr", "add", f"{HERE}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    hosts = {name: Host(name, number) for number, name in enumerate(names, 11)}
    for host in hosts.values():
        _ip("netns", "add", host.space)
        _ip("link", "add", host.plug, "type", "veth", "peer", "name", "eth0", "netns", host.space)
        _ip("link", "set", host.plug, "master", BRIDGE, "up")
        for inside in (
            ("addr", "add", f"{host.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", host.space, *inside)
    return hosts


def down() -> None:
    """End every process in a namespace of ours, then take away namespaces and bridge. Safe at any time, also after a crash."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    spaces = [line.split()[0] for line in listed.splitlines() if line.startswith(f"{PREFIX}-")]
    for space in spaces:
        _end_all_in(space)
        _ip("netns", "del", space)
    for link in sorted(
        Path("/sys/class/net").glob(f"{PREFIX}*")
    ):  # a namespace is taken away some time after it is deleted
        with suppress(RuntimeError):
            _ip("link", "del", link.name)


def _with_python() -> list[str]:
    """A Python in the closed home of root is laid open in this process's own mounts, and nothing else of that home is there."""
    python = Path(sys.base_prefix)
    closed = next((one for one in python.parents if not one.stat().st_mode & stat.S_IXOTH), None)
    if closed is None:
        return []
    lay = (
        'mkdir -p "$3" && mount --bind "$1" "$3" && mount -t tmpfs -o mode=755 none "$2" && mkdir -p "$1" '
        '&& mount --bind "$3" "$1" && shift 3 && exec "$@"'
    )
    return ["sh", "-c", lay, "sh", str(python), str(closed), f"/run/{PREFIX}-python"]


def _end_all_in(space: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while pids := subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=True).stdout:
        for pid in pids.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if time.monotonic() > deadline:
            raise RuntimeError(f"{space}: processes stay: {pids.split()}")
        time.sleep(0.05)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
