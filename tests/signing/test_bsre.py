"""BSrE's client against the simulator on loopback: each reported quirk, and what the client makes of it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest

from service.simulate.play import QuirkUnknown, parse, script
from signing import BsreBackend, Institution, Look, Order, Passphrase, Signer, SigningError, Totp, Wire
from signing.backends.bsreanswers import account_status, files, matched, refusal
from signing.backends.wire import Answer
from tests.signing.simulated import NIK, SEAL, SECRET, order, playing, with_field, without_field
from tests.signing.world import HEAD


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bsre")


@pytest.fixture
def play(folder):
    """Start simulators with the given switches; all end with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda *switches: stack.enter_context(playing(folder, *switches))


def code(work, *given, **named) -> str:
    with pytest.raises(SigningError) as caught:
        work(*given, **named)
    return caught.value.code


def codes(results):
    return [result.error.code if result.error else "returned" for result in results]


# what is returned, and accepted


def test_a_document_in_its_prepared_field(play):
    service, sent = play(), Order(with_field(), HEAD, Look(1, (42.5, 335.0, 127.5, 420.0), order().look.appearance))
    accepted = service.accept(sent, service.client().sign_document(sent, SECRET), "strict")
    assert (accepted.proof_strength, accepted.notes, accepted.signature.field) == ("bytes", (), HEAD)


def test_own_field_is_refused_unless_the_office_allows_it(play):
    service, sent = play("own_field"), order()
    returned = service.client().sign_document(sent, SECRET)
    assert code(service.accept, sent, returned, "strict") == "returned_field"
    accepted = service.accept(sent, returned, "own_field")
    assert (accepted.proof_strength, accepted.notes) == ("bytes", ("own_field",))
    assert accepted.signature.field.startswith("sig_")


def test_own_field_beside_our_empty_one_is_refused(play):
    service, sent = play("own_field"), order(with_field())
    assert code(service.accept, sent, service.client().sign_document(sent, SECRET)) == "returned_field"


def test_a_rewritten_file_is_a_weaker_proof_and_says_so(play):
    service, sent = play("rewritten"), order()
    returned = service.client().sign_document(sent, SECRET)
    assert code(service.accept, sent, returned, "strict") == code(service.accept, sent, returned) == "returned_prefix"
    accepted = service.accept(sent, returned, "rewritten")
    assert (accepted.proof_strength, accepted.notes) == ("content", ("own_field", "rewritten"))


def test_500_with_a_valid_file_counts_as_signed(play):
    service, sent = play("error_with_file"), order()
    assert service.accept(sent, service.client().sign_document(sent, SECRET)).proof_strength == "bytes"


def test_pixels_rule_and_still_the_box_is_ours(play):
    service, sent = play("pixel_size"), order()
    assert service.accept(sent, service.client().sign_document(sent, SECRET))


def test_a_picture_is_always_sent(play):
    service, sent = play("picture_required"), order(look=None)
    assert service.accept(sent, service.client().sign_document(sent, SECRET))


def test_another_origin_shows_and_is_refused(play):
    service, sent = play(), order()
    returned = service.client(origin="top").sign_document(sent, SECRET)
    assert code(service.accept, sent, returned) == "returned_content"


def test_a_clock_six_minutes_off_is_noted(play):
    service, sent = play("clock_off"), order()
    assert service.accept(sent, service.client().sign_document(sent, SECRET)).notes == ("own_field", "clock_off")


def test_another_signers_certificate_is_refused(play):
    service, sent = play(), order()
    returned = service.client(Signer(nik="0000000000000002")).sign_document(sent, Passphrase("frasa-contoh-dua"))
    assert code(service.accept, sent, returned) == "returned_certificate"


# refusals


@pytest.mark.parametrize("switches", [(), ("text_codes",)])
def test_a_wrong_passphrase_ends_the_call_at_the_first_document(play, switches):
    client = play(*switches).client()
    results = client.sign_documents([order()] * 3, Passphrase("salah-sekali"))
    assert codes(results) == ["passphrase_wrong", "not_dispatched", "not_dispatched"]
    assert "salah" not in "".join(str(result.error) + repr(result) for result in results)


def test_2031_for_everybody(play):
    assert code(play("wrong_passphrase").client().sign_document, order(), SECRET) == "passphrase_wrong"


@pytest.mark.parametrize("switches", [(), ("text_codes",)])
def test_signers_that_are_not_there_or_not_active(play, switches):
    service = play(*switches)
    assert code(service.client(Signer(nik="0" * 16)).sign_document, order(), SECRET) == "not_registered"
    assert code(service.client(Signer(nik="0000000000000003")).sign_document, order(), SECRET) == "account_inactive"
    assert service.client().status() == "active"


def test_not_registered_at_signing(play):
    assert refusal(Answer(400, {"status_code": "2011"}), totp=False).code == "not_registered"
    assert code(play("not_registered").client().sign_document, order(), SECRET) == "not_registered"


def test_the_applications_own_login(play):
    client = play().client()
    stranger = Wire(client.wire.url, "contoh", "salah")
    assert code(type(client)(stranger, client.who).sign_document, order(), SECRET) == "login_refused"


@pytest.mark.parametrize("switch", ["too_many=2", "unavailable=2"])
def test_busy_before_dispatch_is_waited_for(play, switch):
    service = play(switch)
    assert service.accept(order(), service.client().sign_document(order(), SECRET))
    assert len(service.waits) == 2
    assert 1 < service.waits[0] < service.waits[1]


@pytest.mark.parametrize("switch", ["too_many=3", "unavailable=9"])
def test_busy_for_too_long(play, switch):
    assert code(play(switch).client().sign_document, order(), SECRET) == "service_busy"


@pytest.mark.parametrize("switch", ["too_many=1", "unavailable=1"])
def test_busy_at_the_signature_itself_is_not_retried(play, switch):
    service = play(switch)
    client = service.client(Institution(SEAL))  # a seal has no look-up before it
    assert codes(client.sign_documents([order()] * 2, Totp("000000"))) == ["service_busy", "not_dispatched"]
    assert not service.waits


def test_503_at_the_signature_is_not_taken_only_if_it_says_when_to_come_back(play):
    assert refusal(Answer(503, None, 2.0), totp=False).code == "service_busy"
    client = play("unavailable=1", "no_retry_after").client(Institution(SEAL))
    assert codes(client.sign_documents([order()] * 2, Totp("000000"))) == ["outcome_unknown", "not_dispatched"]


# lost answers


def test_a_connection_dropped_after_signing_is_an_unknown_outcome(play):
    client = play("drops_connection").client()
    assert codes(client.sign_documents([order()] * 3, SECRET)) == [
        "outcome_unknown",
        "not_dispatched",
        "not_dispatched",
    ]


def test_too_slow_is_an_unknown_outcome(play):
    assert code(play("slow=3").client(seconds=0.4).sign_document, order(), SECRET) == "outcome_unknown"
    for one in threading.enumerate():  # it still signs: not beside the next test
        if "process_request_thread" in one.name:
            one.join(60)


def test_slow_is_only_slow(play):
    assert play("slow=0.9").client().sign_document(order(), SECRET)


def test_nobody_listens():
    with socket.socket() as taken:  # nobody else gets the port, and it does not listen
        taken.bind(("127.0.0.1", 0))
        client = BsreBackend(Wire(f"http://127.0.0.1:{taken.getsockname()[1]}"), Signer(nik=NIK))
        assert code(client.wire.dispatch, "/", {}) == "service_unreachable"
        assert code(client.sign_document, order(), SECRET) == "service_unreachable"


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"],
)  # fmt: skip
def test_half_an_answer_is_an_unknown_outcome(said):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}", seconds=5)
        assert code(wire.dispatch, "/x", {"a": 1}) == "outcome_unknown"
        thread.join()


def test_an_answer_in_small_bites_does_not_hold_the_process():
    """Each byte is in time; the whole is not. Whoever waited for it would get an answer."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                for at in range(len(whole)):
                    connection.sendall(whole[at : at + 1])
                    time.sleep(0.1)

        thread = threading.Thread(target=answer)
        thread.start()
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}", seconds=0.5)
        assert code(wire.dispatch, "/x", {"a": 1}) == "outcome_unknown"
        thread.join()


def test_a_number_that_is_none_does_not_break_an_answer():
    """Whatever is read after dispatch must end in an answer: an exception would lose it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nRetry-After: \xb2\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}", seconds=5)
        assert wire.dispatch("/x", {"a": 1}) == Answer(200, {}, None)
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, None, "outcome_unknown"),
        (500, {"timestamp": "x", "status": 500, "error": "x", "path": "/"}, "outcome_unknown"),
        (502, None, "outcome_unknown"),
        (503, None, "outcome_unknown"),
        (503, {"status": 503, "error": "x"}, "outcome_unknown"),
        (429, None, "service_busy"),
        (504, {}, "outcome_unknown"),
        (504, {"statusCode": 504, "message": "Gateway Timeout"}, "outcome_unknown"),
        (500, {"code": 500}, "outcome_unknown"),
        (500, {"status_code": 9999}, "outcome_unknown"),
        (200, {"status_code": 200, "message": "Sukses"}, "outcome_unknown"),
        (200, {"code": 0}, "outcome_unknown"),
        (200, {"code": "\u00b2"}, "outcome_unknown"),
        (200, {"code": "9" * 5000}, "outcome_unknown"),
        (200, {"status_code": 9999}, "service_refused"),
        (200, None, "outcome_unknown"),
        (200, {"time": 3}, "outcome_unknown"),
        (200, {"file": []}, "outcome_unknown"),
        (500, {"status_code": 2031}, "passphrase_wrong"),
        (400, {"status_code": " 2031 ", "message": "..."}, "passphrase_wrong"),
        (400, {"statusCode": 9999}, "service_refused"),
        (400, {"error": "InvalidPdfException"}, "service_refused"),
        (302, None, "service_refused"),
        (401, None, "login_refused"),
    ],
)  # fmt: skip
def test_what_an_answer_without_a_file_means(status, body, said):
    answer = Answer(status, body)
    assert files(answer) is None
    assert refusal(answer, totp=False).code == said


# batches


def batch():
    return [order(without_field(f"Pemegang {number}")) for number in "ABCDE"]


def test_a_batch_one_secret_and_each_document_its_own(play):
    service, orders = play(), batch()
    results = service.client(chunk=3).sign_documents(orders, SECRET)
    assert all(service.accept(sent, result.returned) for sent, result in zip(orders, results, strict=True))


def test_a_partial_batch_leaves_an_unknown_outcome(play):
    service, orders = play("partial_batch"), batch()
    results = service.client(chunk=3).sign_documents(orders, SECRET)  # 1, then 3 of which the last is missing
    assert codes(results) == ["returned", "returned", "returned", "outcome_unknown", "not_dispatched"]
    for sent, result in zip(orders, results[:3], strict=False):
        service.accept(sent, result.returned)


def test_files_find_their_orders_whatever_their_order():
    orders = batch()[:3]
    answers = [orders[2].pdf + b"3", None, orders[0].pdf + b"1"]
    assert [result.returned for result in matched(orders, answers)] == [answers[2], None, answers[0]]
    anew = [b"%PDF-1", b"%PDF-2", b"%PDF-3"]
    assert [result.returned for result in matched(orders, anew)] == anew
    assert codes(matched(orders, anew[:2])) == ["outcome_unknown"] * 3


# codes, seal, opinions


def test_a_one_time_code_instead_of_a_passphrase(play):
    service = play()
    client = service.client()
    assert client.request_totp(1) is None
    sent = service.app.extensions["play"].codes[NIK]
    assert service.accept(order(), client.sign_document(order(), Totp(sent)))
    assert code(client.sign_document, order(), Totp("nothing")) == "totp_wrong"


def test_the_seal_needs_activation_then_a_code(play):
    service = play()
    client = service.client(Institution(SEAL))
    activation, expires = client.activate_seal()
    assert expires
    secret = client.request_totp(2, activation)
    returned = client.sign_document(order(), Totp(secret))
    assert service.accept(order(), returned, number=SEAL)
    assert code(client.request_totp, 1, "000000x") == "totp_wrong"


@pytest.mark.parametrize("switches", [(), ("verify_200", "misspelt_key")])
def test_200_is_no_opinion(play, switches):
    service = play(*switches)
    client = service.client()
    signed = client.sign_document(order(), SECRET)
    told = client.verify(signed)
    assert (told.valid, told.signatures, told.timestamped) == (True, 1, 1)
    broken = signed.replace(b"/Penerbitan", b"/penerbitan").replace(b"/Reason (P", b"/Reason (p")
    assert broken != signed
    assert not client.verify(broken).valid
    unsigned = client.verify(without_field())
    assert (unsigned.valid, unsigned.signatures) == (False, 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status_code": 1111, "status": "ISSUE"}, "active"),
        ({"status_code": "1111"}, "active"),
        ({"status_code": 1110, "status": "NOT_REGISTERED"}, "not_registered"),
        ({"status": "not registered"}, "not_registered"),
        ({"status": "REVOKED", "status_code": 1}, "revoked"),
        ({"status_code": 4711}, "unknown"),
    ],
)  # fmt: skip
def test_a_status_in_words_or_numbers(body, status):
    assert account_status(Answer(200, body)) == status


@pytest.mark.parametrize("body", [None, [], "ISSUE", {}])
def test_a_status_that_says_nothing(body):
    assert code(account_status, Answer(200, body)) == "service_unclear"


# secrets


def test_addresses_to_which_no_passphrase_goes():
    for url in ("http://bsre.example", "ftp://127.0.0.1", "https://", "https://u:p@bsre.example", "bsre.example"):
        assert code(Wire, url) == "service_insecure"
    assert Wire("https://bsre.example/esign")


def test_nothing_secret_is_shown(play):
    client = play().client()
    shown = repr((client, SECRET, Totp("975318"), order(), Institution("langganan-rahasia")))
    assert not any(secret in shown for secret in (NIK, SECRET.text, "975318", "sandi-contoh", "%PDF", "rahasia"))


# the simulator's page


def test_its_page_names_every_switch_and_what_is_unverified(play):
    service = play("slow=0.1")
    page = service.app.test_client().get("/").text
    assert all(
        name in page and quirk["title"] in page and quirk["seen"] in page for name, quirk in script()["quirk"].items()
    )
    assert all(sentence in page for sentence in script()["unverified"])
    assert page.count("aktif") == 1


def test_switches_are_checked():
    assert parse(["slow", "too_many=3"]) == {"slow": 0.9, "too_many": 3}
    for wrong in ("slowly", "slow=x", "=1"):
        with pytest.raises(QuirkUnknown):
            parse([wrong])
