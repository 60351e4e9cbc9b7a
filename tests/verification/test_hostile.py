"""Hostile uploads against the real web server: each gets an answer that is no praise, and the pages go on answering meanwhile."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import suppress

import pytest

from tests.support.office import client_of, open_office, payload, play, post, row
from tests.support.webserver import web_server
from tests.verification.hostile import HOSTILE

GOOD = {"identical", "authentic", "superseded"}
SENT = ["page_bomb", "circles", "deep", "many_updates", "junk", "changed", "large", "large"]


@pytest.fixture(scope="module")
def served(tmp_path_factory, keys):
    home = tmp_path_factory.mktemp("served")
    teken = open_office(home, keys)
    permit = post(teken, client_of(teken, "malang"), payload("malang", "sik-perekam-medis")).body["id"]
    play(teken, permit)
    found = row(teken, permit)
    genuine = teken.archive.get(found.released_sha)
    teken.close()
    with web_server(home, keys=keys, limit_checks="", limit_lookups="") as server:
        yield server, found.code, genuine


def upload(server, pdf: bytes, path: str = "/api/v1/verify") -> tuple[int, dict]:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    with suppress(BrokenPipeError):
        line.request("POST", path, pdf, {"Content-Type": "application/pdf", "Accept": "application/json"})
    answer = line.getresponse()
    told = json.loads(answer.read())
    line.close()
    return answer.status, told


def look_up(server, code: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    line.request("GET", f"/V/{code}")
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status


@pytest.mark.slow
def test_pages_answer_while_hostile_files_come(served):
    server, code, genuine = served
    answers: list[tuple[int, dict]] = []
    files = [HOSTILE[name](genuine) for name in SENT]
    sending = [threading.Thread(target=lambda pdf=pdf: answers.append(upload(server, pdf))) for pdf in files]
    for thread in sending:
        thread.start()
    looked = 0
    while any(thread.is_alive() for thread in sending) or looked < 20:
        assert look_up(server, code) == 200
        looked += 1
    for thread in sending:
        thread.join()
    assert len(answers) == len(SENT)
    assert {status for status, _ in answers} <= {200, 503}
    assert not {told.get("verdict") for _, told in answers} & GOOD
    assert all(told["type"] == "/problems/checks_busy" for status, told in answers if status == 503)
    assert upload(server, genuine)[1]["verdict"] == "identical"
    assert "Traceback" not in server.log.read_text()


def test_a_refused_body_is_not_read_to_its_end(served):
    """Reading twenty megabytes away would hold a thread of the pages; the connection ends instead."""
    server, code, _ = served
    with server.connect() as line:
        head = "POST /V HTTP/1.1\r\nHost: localhost\r\nContent-Length: 19000000\r\n\r\n"
        line.sendall(head.encode() + b"x" * 19_000_000)
        line.settimeout(60)
        found = b""
        while piece := line.recv(65_536):
            found += piece
    assert found.startswith(b"HTTP/1.1 405")
    assert look_up(server, code) == 200


def test_a_file_on_the_page_of_the_real_server(served):
    """As a browser sends it, and over the same connection twice."""
    server, _, genuine = served
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="berkas"; filename="a.pdf"\r\n\r\n' + genuine + b"\r\n--x--\r\n"
    )
    for _ in range(2):
        line.request("POST", "/periksa", body, {"Content-Type": "multipart/form-data; boundary=x"})
        answer = line.getresponse()
        assert answer.status == 200
        assert "Berkas asli, izin berlaku" in answer.read().decode()
    line.close()
