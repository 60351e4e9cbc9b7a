"""The receiver of the other tests answers each request with what was ordered when it came, whatever is ordered meanwhile."""

from __future__ import annotations

import socket
import threading

from tests.webhooks.receiver import WAIT_SECONDS, Got, Receiver, hang, receiving, said

LETTER = b"POST /masuk HTTP/1.1\r\nwebhook-id: evt_1\r\nContent-Length: 2\r\n\r\n{}"


class _Sent(bytes):
    """An answer which the test had already read to its end when the receiver looks at it once more."""

    receiver: Receiver

    def lower(self) -> bytes:
        self.receiver.answer = hang
        return bytes(self).lower()


class _Came(list[Got]):
    """Requests of which the test hears before the receiver has begun to answer."""

    receiver: Receiver

    def append(self, one: Got) -> None:
        super().append(one)
        self.receiver.answer = said(503)


def test_an_answer_ordered_while_another_goes_out_is_for_the_next_request():
    with receiving() as receiver:
        receiver.answer = sent = _Sent(said(200))
        sent.receiver = receiver
        with socket.create_connection(("127.0.0.1", receiver.port), WAIT_SECONDS) as line:
            line.sendall(LETTER)
            assert line.recv(65536) == said(200)
            line.sendall(LETTER)
            receiver.wait(2)


def test_an_answer_ordered_as_soon_as_a_request_has_come_is_for_the_next_one():
    with receiving() as receiver:
        receiver.got = came = _Came()
        came.receiver = receiver
        with socket.create_connection(("127.0.0.1", receiver.port), WAIT_SECONDS) as line:
            for status in (200, 503):
                line.sendall(LETTER)
                assert line.recv(65536) == said(status)


def test_a_receiver_that_fails_hangs_up_instead_of_leaving_the_sender_waiting(monkeypatch):
    failed = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: failed.set())

    def fail(line: socket.socket) -> None:
        raise RuntimeError

    with receiving(fail) as receiver, socket.create_connection(("127.0.0.1", receiver.port), WAIT_SECONDS) as line:
        line.sendall(LETTER)
        assert line.recv(1) == b""
        assert failed.wait(WAIT_SECONDS), "said before the next test's hook is there"


def test_a_receiver_that_is_over_hangs_up_on_whom_it_left_waiting():
    with receiving(hang) as receiver:
        line = socket.create_connection(("127.0.0.1", receiver.port), WAIT_SECONDS)
        line.sendall(LETTER)
        receiver.wait(1)
    with line:
        assert line.recv(1) == b""
