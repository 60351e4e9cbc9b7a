"""One letter over a real connection: what a bad receiver, a bad network or a bad name server can do, and what we then say."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from service.webhooks import names
from service.webhooks.addresses import networks_of
from service.webhooks.errors import Unsent
from service.webhooks.sending import Line, Network, trust_of
from service.webhooks.targets import Rules, Target, target_of
from tests.webhooks.receiver import OK, certified, drip, flood, hang, receiving, said

HERE = Rules(networks=networks_of("127.0.0.0/8"))
SOON = 0.4
"""The whole time of one letter, where the test is that it ends."""
NAME = "hulu.example"
HEADERS = {"webhook-id": "evt_1"}


def network(trust: ssl.SSLContext | None = None, *, rules=HERE, resolve=lambda *_: ["127.0.0.1"], seconds=30.0):
    return Network(rules, trust or ssl.create_default_context(), resolve, seconds)


def in_time(url: str):
    """A letter that has its answer at once, unless this machine itself stands still: then there is more time."""
    for seconds in (SOON, 10 * SOON, 30.0):
        try:
            return post(url, seconds=seconds)
        except Unsent as error:
            if error.code not in {"timeout", "unreachable"}:
                raise
    raise AssertionError("no answer in time")


def post(url: str, **chosen):
    given = network(**chosen)
    with Line(target_of(url, given.rules), given) as line:
        return line.post(b"{}", HEADERS)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server's TLS for `hulu.example`, and who trusts its authority."""
    folder = tmp_path_factory.mktemp("tls")
    server = certified(folder, NAME)
    return server, trust_of(folder / "ca.pem")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (hang, "timeout"),
        (drip, "timeout"),
        (lambda line: None, "connection_lost"),
        (lambda line: line.sendall(b"HTTP/1.1 2"), "answer_unreadable"),
        (b"bukan HTTP\r\n\r\n", "answer_unreadable"),
        (b"\x00\xff\xfe" * 50, "answer_unreadable"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "answer_unreadable"),
        (b"HTTP/1.1 999 Aneh\r\n\r\n", "answer_unreadable"),
        (b"HTTP/1.1 -200 OK\r\n\r\n", "answer_unreadable"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "answer_unreadable"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "answer_unreadable"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, "connection_lost"),
    ],
)
def test_whatever_is_no_answer_has_its_code(answer, code):
    with receiving(answer) as receiver, pytest.raises(Unsent, match=f"^{code}$"):
        post(receiver.url, seconds=SOON if code == "timeout" else 30)


def test_a_name_server_that_never_answers_holds_neither_the_sender_nor_ever_more_threads(monkeypatch):
    monkeypatch.setattr(names, "_places", threading.BoundedSemaphore(2))
    back, asked = threading.Event(), []

    def silent(*_):
        asked.append(threading.current_thread())
        back.wait()
        return ["127.0.0.1"]

    for _ in range(4):
        with pytest.raises(Unsent, match="timeout"):
            post("http://localhost:9/", resolve=silent, seconds=0.1)
    assert len(asked) == 2
    back.set()
    for thread in asked:
        thread.join()
    with receiving(OK) as receiver:
        assert post(f"http://localhost:{receiver.port}/", resolve=silent).status == 200


def test_what_a_name_server_says_wrong_is_no_fault_of_ours():
    def broken(*_):
        raise UnicodeError("label too long")

    with pytest.raises(Unsent, match="name_unknown"):
        post(f"https://{NAME}/", resolve=broken)


@pytest.mark.parametrize(
    "answer",
    [
        flood,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: sepuluh\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhalo",
        said(204),
    ],
)
def test_once_the_status_is_there_nothing_else_matters(answer):
    with receiving(answer) as receiver:
        assert in_time(receiver.url).status in {200, 204}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status):
    with receiving() as inside, receiving(said(status, f"Location: {inside.url}")) as receiver:
        assert post(receiver.url).status == status
        assert inside.connections == 0


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(receiver.url).status == 200
        assert proxy.connections == 0


def test_over_tls_the_name_is_in_host_and_certificate_and_the_address_is_the_checked_one(tls):
    server, trust = tls
    with receiving(context=server) as receiver:
        assert post(f"https://{NAME}:{receiver.port}/masuk?a=b", trust=trust).status == 200
        assert receiver.got[0].line == "POST /masuk?a=b HTTP/1.1"
        assert receiver.got[0].headers["host"] == f"{NAME}:{receiver.port}"


@pytest.mark.parametrize("case", ["another name", "unknown authority", "no TLS"])
def test_without_the_names_own_certificate_nothing_is_sent(tls, case):
    server, trust = tls
    name = "lain.example" if case == "another name" else NAME
    trusted = ssl.create_default_context() if case == "unknown authority" else trust
    with receiving(context=None if case == "no TLS" else server) as receiver:
        expected = "^(tls_failed|timeout|connection_lost)$" if case == "no TLS" else "^certificate_refused$"
        with pytest.raises(Unsent, match=expected):
            post(f"https://{name}:{receiver.port}/", trust=trusted, seconds=SOON if case == "no TLS" else 30)
        assert receiver.got == []


def test_a_name_that_changes_its_answer_gains_nothing():
    """DNS rebinding: the first answer would pass; what is connected to is what was checked, and it is asked once."""
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["203.0.113.7"] if len(asked) == 1 else ["127.0.0.1"]

    with receiving() as inside:
        with pytest.raises(Unsent, match="address_refused"):
            post(f"https://{NAME}:{inside.port}/", rules=Rules(), resolve=rebinding)
        with pytest.raises(Unsent, match="address_refused"):
            post(f"https://{NAME}:{inside.port}/", rules=Rules(), resolve=rebinding)
        assert asked == [(NAME, inside.port)] * 2
        assert inside.connections == 0


def test_only_what_was_checked_is_connected_to(monkeypatch, tls):
    server, trust = tls
    reached = []
    real = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda address, **more: reached.append(address) or real(address, **more)
    )
    with receiving(context=server) as receiver:
        post(f"https://{NAME}:{receiver.port}/", trust=trust, resolve=lambda *_: ["127.0.0.1"])
        assert reached == [("127.0.0.1", receiver.port)]


def test_http_goes_to_no_other_machine_even_if_the_name_is_localhost():
    rules = Rules(networks=networks_of("127.0.0.0/8, 10.0.0.0/8"))
    with pytest.raises(Unsent, match="address_refused"):
        post("http://localhost:9/", rules=rules, resolve=lambda *_: ["127.0.0.1", "10.0.0.1"])


def test_nobody_listens():
    with socket.socket() as nobody:  # bound and not listening: the port stays refused
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Unsent, match="unreachable"):
            post(f"http://127.0.0.1:{nobody.getsockname()[1]}/")


def test_an_address_that_does_not_answer_leaves_the_next_one_its_turn():
    with receiving() as receiver:
        rules = Rules(networks=networks_of("127.0.0.0/8, ::1/128"))
        given = network(rules=rules, resolve=lambda *_: ["::1", "127.0.0.1"])
        with Line(Target("http", "localhost", receiver.port, "/"), given) as line:
            assert line.post(b"{}", HEADERS).status == 200


def test_a_kept_connection_that_was_closed_is_opened_again_at_once():
    with receiving() as receiver:
        given = network()
        with Line(target_of(receiver.url, HERE), given) as line:
            line.post(b"{}", HEADERS)
            receiver.answer = lambda open_line: None  # it takes the letter and hangs up
            with pytest.raises(Unsent, match="connection_lost"):
                line.post(b"{}", HEADERS)
            assert receiver.connections == 2, "tried once more on a new one"
            receiver.answer = OK
            assert line.post(b"{}", HEADERS).status == 200
