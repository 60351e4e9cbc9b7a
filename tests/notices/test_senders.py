"""One suite for every sender, on real servers: a gateway by HTTP and HTTPS, mail by STARTTLS and TLS. And what only one of them can do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.notices.http import HttpGateway, check_body, filled
from service.notices.mail import MailServer
from service.notices.message import FIELDS, Message, NotTaken
from tests.notices.receivers import Receiver, gateway, mail_server, make_certificate

MESSAGE = Message(
    "ntf_0123456789abcdef01234567",
    "ready",
    "+6281234567890",
    "Izin Anda siap diambil",
    "DPMPTSP: Surat Izin nomor 503/1 – {text} $text {{7*7}} sudah dapat diambil.",
    datetime(2026, 11, 20, 2, 0, tzinfo=UTC),
    {"office": "DPMPTSP", "type": "Surat Izin", "application": "UJI-1", "number": "503/1"},
)
KINDS = ("http", "https", "form", "starttls", "tls")


@dataclass
class Case:
    sender: HttpGateway | MailServer
    receiver: Receiver
    message: Message


@contextmanager
def standing(kind: str, pair: tuple[Path, Path], ca: Path) -> Iterator[Case]:
    if kind in {"starttls", "tls"}:
        with mail_server(pair, tls=kind, login="kita:rahasia") as receiver:
            given = {"port": receiver.port, "tls": kind, "user": "kita", "password": "rahasia", "ca_file": ca}
            sender = MailServer("127.0.0.1", "izin@dinas.example", sender_name="Dinas Contoh", **given)
            yield Case(sender, receiver, replace(MESSAGE, to="siti@contoh.example"))
        return
    with gateway(pair if kind == "https" else None) as receiver:
        body = {"to": "{to_plain}", "text": "{text}"}
        given = {"headers": {"Authorization": "Bearer rahasia"}, "accepted": {"status": True}, "ca_file": ca}
        yield Case(
            HttpGateway(receiver.url, body, format="form" if kind == "form" else "json", **given), receiver, MESSAGE
        )


@pytest.fixture(params=KINDS)
def case(request, certificate):
    with standing(request.param, certificate, certificate[0]) as found:
        yield found


def refused(case: Case, **changes) -> NotTaken:
    with pytest.raises(NotTaken) as caught:
        replace(case.sender, **changes).send(case.message)
    said = f"{caught.value!r} {caught.value.__context__!r} {case.sender!r} {case.message!r}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, said
    assert "rahasia" not in repr(caught.value) + repr(case.sender), said
    assert case.message.to not in repr(caught.value) + repr(case.message), said
    return caught.value


def test_it_arrives_whole_under_one_id_at_every_try(case):
    case.sender.send(case.message)
    case.sender.send(case.message)
    first, second = case.receiver.got
    assert first.id == second.id == case.message.id
    assert first.to == case.message.to.removeprefix("+")
    assert first.text == case.message.text


def test_what_is_refused_for_ever_is_told_so(case):
    case.receiver.mode = "refused"
    assert refused(case).final


@pytest.mark.parametrize("mode", ["busy", "odd"])
def test_what_may_get_better_is_tried_again(case, mode):
    case.receiver.mode = mode
    assert not refused(case).final
    case.receiver.mode = "taken"
    case.sender.send(case.message)
    assert len(case.receiver.got) == 1


def test_silence_is_cut_off(case):
    case.receiver.mode = "silent"
    for seconds in (0.3, 3, 10):  # a machine that stands still may not come as far as the silence in the first
        if (code := refused(case, seconds=seconds).code) == "unanswered":
            break
    assert code == "unanswered"


def test_it_can_be_reached_without_sending(case):
    case.sender.reach()
    assert case.receiver.got == []


def test_nobody_there(case):
    with socket.socket() as nobody:  # bound and not listening: the port stays refused
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        where = (
            {"url": case.sender.url.replace(str(case.receiver.port), str(port))}
            if hasattr(case.sender, "url")
            else {"port": port}
        )
        assert refused(case, **where).code == "unreachable"


@pytest.mark.parametrize("kind", ["https", "starttls", "tls"])
def test_a_server_that_nobody_vouches_for_gets_nothing(kind, certificate, tmp_path):
    stranger = make_certificate(tmp_path)
    with standing(kind, stranger, certificate[0]) as case:
        assert refused(case).code == "tls_failed"
        assert case.receiver.got == []


# a gateway alone


def test_no_redirect_is_followed_and_no_proxy_asked(certificate, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with standing("http", certificate, certificate[0]) as case:
        case.sender.send(case.message)
        case.receiver.mode = "moved"
        assert refused(case).code == "http_307"
        assert len(case.receiver.got) == 1


def test_a_gateway_that_sends_a_byte_now_and_then_is_cut_off(certificate):
    """A socket's own time-out begins anew with every byte."""
    with standing("http", certificate, certificate[0]) as case, socket.create_server(("127.0.0.1", 0)) as slow:
        import threading

        ended = threading.Event()

        def trickle():
            connection, _ = slow.accept()
            with connection:
                while not ended.wait(0.05):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}/send"
        assert refused(case, url=url, seconds=0.3).code == "unanswered"
        ended.set()
        thread.join()


def test_data_goes_in_as_values_wherever_it_stands():
    tree = {
        "a": "{to}",
        "b": ["{number}", {"c": "{text}", "d": 1, "e": "apa adanya"}],
        "f": "{until}",
        "g": "{template}",
    }
    fields = MESSAGE.fields({"ready": "izin_siap"})
    assert filled(tree, fields) == {
        "a": "+6281234567890",
        "b": ["503/1", {"c": MESSAGE.text, "d": 1, "e": "apa adanya"}],
        "f": "",
        "g": "izin_siap",
    }
    assert set(fields) == FIELDS
    assert (fields["to_plain"], fields["to_local"]) == ("6281234567890", "081234567890")


@pytest.mark.parametrize("text", ["{nik}", "Halo {text}", "{to}{text}", "{0.__class__}", "{text!r}", "{to}\n"])
def test_a_body_names_whole_known_fields(text):
    with pytest.raises(ValueError, match="field"):
        check_body({"a": [{"b": text}]})


# mail alone


def test_a_wrong_login_is_told(certificate):
    with standing("starttls", certificate, certificate[0]) as case:
        assert refused(case, password="lain").code == "login_refused"
        case.sender.reach()
        with pytest.raises(NotTaken, match="login_refused"):
            replace(case.sender, password="lain").reach()


def test_no_password_goes_out_before_the_server_is_known(certificate):
    """A server without STARTTLS: somebody in between may have taken it away."""
    with mail_server(tls="none") as receiver:
        server = MailServer("127.0.0.1", "izin@dinas.example", port=receiver.port, user="kita", password="rahasia")
        with pytest.raises(NotTaken):
            server.send(replace(MESSAGE, to="siti@contoh.example"))
        assert receiver.got == []


def test_a_letter_says_who_when_and_that_nobody_wrote_it(certificate):
    with standing("starttls", certificate, certificate[0]) as case:
        case.sender.send(case.message)
        head = case.receiver.got[0].headers
    assert head["From"] == "Dinas Contoh <izin@dinas.example>"
    assert head["Message-ID"] == f"<{MESSAGE.id}@dinas.example>"
    assert head["Auto-Submitted"] == "auto-generated"
    assert head["Date"].startswith("Fri, 20 Nov 2026 02:00:00")


@pytest.mark.parametrize("to", ["siti@contoh.example\r\nBcc: budi@contoh.example", "siti, budi@contoh.example"])
def test_an_address_can_add_no_header(to):
    server = MailServer("127.0.0.1", "izin@dinas.example")
    with pytest.raises(NotTaken, match="address_refused"):
        server.send(replace(MESSAGE, to=to))
