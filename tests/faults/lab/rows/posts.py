"""Fifty at once over HTTP: the same case under one key, under many, without any, with another body, with half a body; and hostile requests."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

from service import clients
from tests.faults.lab.bench import Bench
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import Evidence, judge, read
from tests.support.office import client_of, open_office, payload
from tests.support.webserver import WebServer, web_server

MANY = 50
KIND = ("rokan-hilir", "sip-perekam-medis")
CASES = "/api/v1/cases"
ROUNDS = ("one key", "a key each", "five keys", "no key", "another body", "half a body")
MARK = "{{7*7}}{0.__class__}${7*7}<script>alert(1)</script>"
HOSTILE: dict[str, tuple[str, str, bytes, dict[str, str]]] = {
    "chunks without end": ("POST", CASES, b" " * 5_000_000, {"Transfer-Encoding": "chunked"}),
    "50 MB announced": ("POST", CASES, b"{}", {"Content-Length": "50000000"}),
    "20 MB file": ("POST", "/api/v1/verify", b"%PDF-1.7\n" + bytes(20_000_000), {"Content-Type": "application/pdf"}),
    "no PDF": ("POST", "/api/v1/verify", b"%PDF-1.7\nxref\n0 99999999\n", {"Content-Type": "application/pdf"}),
    "nested lists": ("POST", CASES, b"[" * 100_000, {}),
    "a template as a name": ("POST", CASES, json.dumps({"applicant": {"nama": MARK}}).encode(), {}),
    "NUL in a text": ("POST", CASES, b'{"office":"a\\u0000b"}', {}),
    "entities": ("POST", CASES, b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', {}),
    "a path as a permit": ("GET", "/api/v1/permits/..%2F..%2Fetc%2Fpasswd/document", b"", {}),
    "a newline as a permit": ("GET", "/api/v1/permits/izn_0%0A", b"", {}),
    "a path as a code": ("GET", "/v/..%2f..%2f..%2fetc%2fpasswd", b"", {}),
    "a quote in a query": ("GET", "/api/v1/events?after=1'--", b"", {}),
}


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """One live web server for all of it."""
    return ["a live web server"]


def play(bench: Bench, scene: Scene) -> None:
    """Ask all of it of one office."""
    folder = bench.place()
    home = folder / "home"
    with bench.database(scene.engine, home) as database:
        with closing(open_office(home, bench.keys, database=database, signing=False)) as teken:
            _, key = clients.add_client(teken, KIND[0], "uji")
            client_of(teken, "malang")
            verifier = teken.notary.verifier
        settings = {"keys": bench.keys, **({"database_url": database} if database else {})}
        with web_server(home, "--log-level", "error", **settings) as server:
            acks = [ack for number, how in enumerate(ROUNDS * 2) for ack in together(scene, server, key, number, how)]
            for name, request in HOSTILE.items():
                scene.fault(f"{scene.name}: {name}")
                status, said = ask(server, key, *request)
                scene.expect(status < 500, f"{name}: {status}")
                scene.expect(b'"identical"' not in said, f"{name} was praised")
                scene.expect(b"root:" not in said, f"{name}: it told {said[:200]!r}")
            scene.expect(ask(server, key, "GET", "/healthz")[0] == 200, "it does not answer any more")
            scene.expect(b"Traceback" not in server.log.read_bytes(), "a traceback is in the log")
        store = database or str(home / "teken.db")
        scene.expect(len(read(store)["permits"]) == len(ROUNDS) * 2, f"{len(read(store)['permits'])} permits")
        scene.judged(judge(Evidence(store, home / "archive", verifier, acks, settled=False)))
    shutil.rmtree(folder, ignore_errors=True)


def together(scene: Scene, server: WebServer, key: str, number: int, how: str) -> list[dict]:
    """Fifty posts at once; the answers that acknowledge a case."""
    scene.fault(f"{scene.name}: round {number + 1}, {how}")
    case = payload(*KIND, f"UJI-{number}")

    def post(at: int) -> tuple[int, bytes]:
        keys = {"one key": 0, "another body": 0, "five keys": at % 5, "a key each": at, "half a body": at}
        headers = {"Idempotency-Key": f"k-{number}-{keys[how]}"} if how in keys else {}
        body = {**case, "complete_at": f"2026-11-1{at % 2}T04:00:00Z"} if how == "another body" else case
        raw = json.dumps(body).encode()
        if how == "half a body" and at % 2:
            return broken_off(server, key, raw)
        for _ in range(200):
            status, said = ask(server, key, "POST", CASES, raw, headers)
            if status not in {409, 503} or b"idempotency_mismatch" in said:
                return status, said
        return status, said

    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(post, range(MANY)))
    statuses = Counter(status for status, _ in answers)
    expected = {
        200,
        201,
        202,
        *((409, 422) if how == "another body" else ()),
        *((0, 400) if how == "half a body" else ()),
    }
    scene.expect(set(statuses) <= expected, f"{how}: {dict(statuses)}")
    acks = [json.loads(said) for status, said in answers if status in {200, 201, 202}]
    scene.expect(len({ack["id"] for ack in acks}) == 1, f"{how}: {len({ack['id'] for ack in acks})} permits")
    return [{"key": f"k-{number}", "body": ack} for ack in acks]


def ask(
    server: WebServer, key: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """One request; 400 where the server hangs up on what it does not want to read."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **(headers or {})}
    chunked = given.get("Transfer-Encoding") == "chunked"
    try:
        connection.request(method, path, iter([body]) if chunked else body, given, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ConnectionError:
        return 400, b""
    finally:
        connection.close()


def broken_off(server: WebServer, key: str, raw: bytes) -> tuple[int, bytes]:
    """Announce a whole body, send half of it and hang up."""
    head = (
        f"POST {CASES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    )
    with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 60) as line:
        line.sendall(f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw[: len(raw) // 2])
    return 0, b""


ROW = Row(
    "posts",
    "fifty posts at once of one case under one key, many, none, with another body, broken off; bombs, templates, paths, entities",
    "one case is one permit; another body under the key is refused; no answer of ours is a 5xx; the server lives",
    scenes,
    play,
)
