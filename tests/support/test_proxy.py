"""The bad network is as bad as it says, and whole again afterwards."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.proxy import Proxy, proxy_before

SOON, NEVER = 20, 0.2


@pytest.fixture
def upper():
    """A server that answers in capitals, its proxy, and what it heard."""
    with _server(bytes.upper) as (address, heard), proxy_before(address) as proxy:
        yield proxy, heard


def test_what_is_said_and_answered_passes(upper):
    proxy, _ = upper
    with _line(proxy) as line:
        line.sendall(b"terbit" * 50_000)
        line.shutdown(socket.SHUT_WR)
        assert _all(line) == b"TERBIT" * 50_000
    assert proxy.accepted == 1


def test_a_hanging_network_takes_new_lines_and_gives_all_back_later(upper):
    proxy, heard = upper
    proxy.hang()
    with _line(proxy) as line:
        line.sendall(b"a")
        line.settimeout(NEVER)
        with pytest.raises(TimeoutError):
            line.recv(1)
        assert not heard.said
        proxy.heal()
        line.settimeout(SOON)
        assert line.recv(1) == b"A"


def test_a_mute_network_does_what_is_asked_and_says_nothing(upper):
    proxy, heard = upper
    proxy.mute()
    with _line(proxy) as line:
        line.sendall(b"sah")
        line.shutdown(socket.SHUT_WR)
        heard.wait()
        proxy.cut()
        with pytest.raises(ConnectionError):
            line.recv(1)
    assert heard.said == b"sah"


def test_an_answer_is_cut_in_the_middle_and_the_next_is_whole(upper):
    proxy, _ = upper
    proxy.cut_answers_after(3)
    with _line(proxy) as line:
        line.sendall(b"setengah")
        with suppress(ConnectionError):  # a reset may overtake the last bytes
            assert _all(line) in {b"", b"SET"}
    with _line(proxy) as line:
        line.sendall(b"utuh")
        line.shutdown(socket.SHUT_WR)
        assert _all(line) == b"UTUH"


def test_a_refusing_port_is_the_same_port_afterwards(upper):
    proxy, _ = upper
    proxy.refuse()
    with pytest.raises(ConnectionError):
        _line(proxy).__enter__()
    proxy.heal()
    with _line(proxy) as line:
        line.sendall(b"b")
        assert line.recv(1) == b"B"


def test_new_lines_lead_to_the_new_primary(upper):
    proxy, _ = upper
    with _server(bytes.lower) as (elsewhere, _):
        with _line(proxy) as old:
            old.sendall(b"b")
            assert old.recv(1) == b"B"
            proxy.point_to(elsewhere)
            with pytest.raises(ConnectionError):
                old.recv(1)
        with _line(proxy) as line:
            line.sendall(b"B")
            assert line.recv(1) == b"b"


def test_a_unix_socket_has_a_port_too(tmp_path):
    with _server(bytes.upper, tmp_path / "s") as (address, _), proxy_before(address) as proxy, _line(proxy) as line:
        line.sendall(b"b")
        assert line.recv(1) == b"B"


class _Heard(threading.Event):
    said = b""


@contextmanager
def _server(answer, path: Path | None = None):
    listener = socket.create_server(("127.0.0.1", 0)) if path is None else _at(path)
    heard = _Heard()

    def serve(line: socket.socket) -> None:
        with line, suppress(OSError):
            while piece := line.recv(4096):
                heard.said += piece
                line.sendall(answer(piece))
            heard.set()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield path or listener.getsockname(), heard
    finally:
        listener.close()


def _at(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


@contextmanager
def _line(proxy: Proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), SOON) as line:
        yield line


def _all(line: socket.socket) -> bytes:
    found = b""
    while piece := line.recv(4096):
        found += piece
    return found
