"""The web server against clients that mean no good: each is refused or dropped, and everybody else is answered meanwhile."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

import pytest

from service.inbox import HEAD_BYTES, HEAD_SECONDS
from service.settings import Settings
from service.wiring import open_teken
from tests.support.webserver import rest, web_server

CODE = "7K3M9QXT2WPA5D8H"
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FAR_MORE_THAN_THREADS = 64


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("served")
    open_teken(Settings(home=home)).close()
    with web_server(home, "--access-logfile", "-", limit_lookups="") as running:
        yield running


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def is_answered(server) -> bool:
    """Before the crowd's own time is over. A pause of the machine costs one try; whoever is silenced by the crowd loses both."""
    for _ in range(2):
        with suppress(TimeoutError):
            return status(server.ask(ALIVE, seconds=HEAD_SECONDS * 0.4)) == 200
    return False


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"GET /V/" + b"A" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {414}),
        (b"GET /V/" + b"A" * HEAD_BYTES * 3, {414}),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", {431, 400}),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES * 3, {431}),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n", {431, 400}),
        (b"\x00\x01\x02\r\n\r\n", {400}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),  # TLS to a plain port
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", {400}),
        (b"GET /\r\n\r\n", {400}),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {405}),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {400, 404, 405}),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", {200, 400}),
        (b"GET / HTTP/1.1\r\nBad Name: a\r\n\r\n", {400}),
        (b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n", {400}),
        (post("/lapor", "Content-Length: 5", "Content-Length: 6") + b"123456", {400}),
        (post("/lapor", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", {400}),
        (post("/lapor", "Content-Length: -5"), {400}),
        (post("/lapor", "Content-Length: 5x"), {400}),
        (post("/lapor", "Transfer-Encoding: gzip") + b"0\r\n\r\n", {400, 501}),
        (post("/lapor", "Transfer-Encoding: chunked") + b"zz\r\n0\r\n\r\n", {400, 422}),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(server, raw, expected):
    answer = server.ask(raw)
    assert status(answer) in expected, answer[:300]
    assert b"Server:" not in answer


@pytest.mark.parametrize("path", [
    "/V/%00", "/V/%2e%2e%2f%2e%2e", "/V/%FF%FE", "/V/%C0%AF", "//V//x", "/V/../../etc/passwd", "/./V/x", "/%2e%2e/V/x", "/V/%",
    "/V/%zz", "/V/;x=1", "/V/?kode=%00", "/V?kode=%FF", "/V?lang=%FF&kode=a%0d%0aSet-Cookie:b", "/api/v1/verify/%00", "/V/" + "a" * 7_000,
    "/lapor?lang=%00", "/lapor/terkirim?nomor=%00%00%00%00%00%00%00%00", "/V/%0d%0aX: y/lapor", "/meja/%00", "/izin-saya/survei/%00", "*",
    "http://elsewhere/V/x", "/problems/%00", "/periksa/%00", "/robots.txt/..",
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_odd_addresses_are_answered_plainly(server, path, method):
    answer = server.ask(
        f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    assert 200 <= status(answer) < 500, answer[:200]
    assert b"\r\nSet-Cookie" not in answer


def test_a_crowd_of_slow_heads_keeps_nobody_waiting(server):
    """Far more than there are threads, each sending a little now and then."""
    with ExitStack() as stack:
        slow = [stack.enter_context(server.connect()) for _ in range(FAR_MORE_THAN_THREADS)]
        for line in slow:
            line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        began, cut = time.monotonic(), 0
        while time.monotonic() - began < HEAD_SECONDS + 30 and cut < len(slow):
            assert is_answered(server)
            for line in list(slow):
                try:
                    line.sendall(b"a")
                except OSError:
                    slow.remove(line)
            time.sleep(0.5)
        assert not slow, f"{len(slow)} are still there"


def test_a_crowd_of_slow_bodies_keeps_nobody_waiting(server):
    with ExitStack() as stack:
        for _ in range(FAR_MORE_THAN_THREADS):
            line = stack.enter_context(server.connect())
            line.sendall(
                post("/lapor", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 9000") + b"kode="
            )
        for _ in range(10):
            assert is_answered(server)


def test_a_crowd_that_says_nothing_keeps_nobody_waiting(server):
    with ExitStack() as stack:
        for _ in range(FAR_MORE_THAN_THREADS):
            stack.enter_context(server.connect())
        assert is_answered(server)


def test_a_crowd_that_does_not_hang_up_keeps_nobody_waiting(server):
    with ExitStack() as stack:
        for _ in range(FAR_MORE_THAN_THREADS):
            stack.enter_context(server.connect()).sendall(ALIVE)
        began = time.monotonic()
        assert status(server.ask(ALIVE, seconds=30)) == 200
        assert time.monotonic() - began < 20


def test_a_crowd_that_does_not_read_keeps_nobody_waiting(server):
    """The pages fit into the connection's own buffer."""
    with ExitStack() as stack:
        for _ in range(FAR_MORE_THAN_THREADS):
            stack.enter_context(server.connect()).sendall(b"GET /V HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        assert status(server.ask(ALIVE, seconds=HEAD_SECONDS)) == 200


def test_an_endless_body_is_cut(server):
    with server.connect() as line:
        line.sendall(post("/lapor", "Transfer-Encoding: chunked"))
        piece, end = b"10000\r\n" + b"a" * 65536 + b"\r\n", time.monotonic() + 60
        with pytest.raises(OSError):  # noqa: PT012 - the server hangs up somewhere in the loop
            while time.monotonic() < end:
                line.sendall(piece)
    assert status(server.ask(ALIVE)) == 200


def test_a_body_that_is_announced_too_large_is_not_awaited(server):
    answer = server.ask(post("/lapor", "Content-Length: 99999999999", "Connection: close") + b"kode=")
    assert status(answer) == 413


def test_a_length_that_lies_harms_only_the_liar(server):
    """More than announced: the rest is no request. Less: nothing but the wait."""
    form = "Content-Type: application/x-www-form-urlencoded"
    more = server.ask(post("/lapor", form, "Content-Length: 5") + b"kode=" + b"junk junk junk\r\n\r\n")
    assert more.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 400" in more
    with server.connect() as line:
        line.sendall(post("/lapor", form, "Content-Length: 50") + b"kode=")
        line.shutdown(1)
        assert rest(line) == b""


def test_pipelined_requests_are_answered_in_their_order_and_junk_ends_it(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = server.ask(one * 3 + b"GET /V HTTP/1.1\r\nHost: a\r\n\r\n" + b"junk\r\n\r\n" + one)
    assert answer.count(b"HTTP/1.1 200") == 4
    assert answer.count(b"HTTP/1.1 400") == 1
    assert answer.index(b"<!doctype html>") > answer.rindex(b'{"status"')


def test_a_hundred_pipelined_bodies_arrive_whole(server):
    """The seam between one request and the next lies anywhere in what was read."""
    body = b"kode=" + b"A" * 700
    form = post("/lapor", "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}") + body
    answer = server.ask(form * 100 + ALIVE)
    assert answer.count(b"HTTP/1.1 422") == 100
    assert answer.count(b"HTTP/1.1 200") == 1


def test_a_request_in_single_bytes_is_answered(server):
    with server.connect() as line:
        line.setsockopt(6, 1, 1)
        for byte in ALIVE:
            line.sendall(bytes([byte]))
        assert status(rest(line)) == 200


def test_a_client_that_waits_to_be_told_to_go_on_is_told(server):
    body = b"kode=" + b"A" * 400
    with server.connect() as line:
        head = post(
            "/lapor",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            "Expect: 100-continue",
            "Connection: close",
        )
        line.sendall(head)
        assert line.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        line.sendall(body)
        assert b"HTTP/1.1 422" in rest(line)


def test_a_server_that_stops_answers_what_it_has_begun(tmp_path):
    open_teken(Settings(home=tmp_path)).close()
    with web_server(tmp_path) as running, running.connect() as idle, running.connect() as begun:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert status(idle.recv(65536)) == 200
        begun.sendall(ALIVE[:20])
        assert status(running.ask(ALIVE)) == 200  # the loop has seen what came before
        running.process.terminate()
        time.sleep(0.5)
        begun.sendall(ALIVE[20:])
        assert status(rest(begun)) == 200
        assert running.process.wait(60) == 0


def test_logs_hold_routes_and_nothing_of_people(server):
    """Codes, what was typed, names of files, whole addresses, agents: nowhere, in neither log."""
    nik = "3374010101900001"
    server.get(f"/V/{CODE}?kode={nik}", "User-Agent: rahasia-agent", "Referer: http://rahasia.example/")
    server.get(f"/V?kode={CODE}-{nik}")
    server.get(f"/api/v1/verify/{CODE}", f"Authorization: Bearer {nik}.x")
    server.get(f"/V/{CODE}/lapor")
    server.get(f"/tidak-ada/{CODE}")
    server.ask(f"GET /V/{CODE} {nik} HTTP/1.1\r\n\r\n".encode())
    server.ask(f"GET / HTTP/1.1\r\n{nik} {CODE}: x\r\n\r\n".encode())
    boundary = "x" * 20
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{nik}.pdf"\r\n\r\n%PDF\r\n--{boundary}--\r\n'
    for path in ("/periksa", "/lapor"):
        server.ask(
            post(
                path,
                f"Content-Type: multipart/form-data; boundary={boundary}",
                f"Content-Length: {len(part)}",
                "Connection: close",
            )
            + part.encode()
        )
    time.sleep(0.5)
    log = server.log.read_text()
    assert "/V/<" in log
    assert "request refused" in log
    for secret in (CODE, nik, "rahasia", "127.0.0.1 "):
        assert secret not in log, secret
