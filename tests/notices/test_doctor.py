"""What the doctor says of an office's gateways. Nothing is sent."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import update

from service.clock import SetClock
from service.doctor import Asked
from service.doctor.findings import State, worded
from service.doctor.notices import look_at_notices
from service.doctor.view import View
from service.notices.making import follow
from service.store.notice_tables import notices
from tests.notices.test_worker import OFFICE, home, opened, returned  # noqa: F401 - a fixture
from tests.support.office import NOW


@pytest.fixture
def looked(home, keys):  # noqa: F811
    """The house and what is said of it."""
    with closing(opened(home, keys, SetClock(NOW))) as teken:

        def look(**changes) -> list[tuple[State, str, str]]:
            view = View(teken.settings.model_copy(update=changes), teken.clock, Asked())
            try:
                return [
                    (one.state, one.code, one.subject) for one in (worded("notices", n) for n in look_at_notices(view))
                ]
            finally:
                view.close()

        yield teken, look, home


def test_a_gateway_that_answers_is_well_and_gets_nothing(looked):
    _, look, (*_, receiver) = looked
    assert look() == [(State.OK, "notices_fine", "uji")]
    assert receiver.got == []


def test_what_is_missing_or_broken_is_told(looked):
    _, look, (folder, _, file, receiver) = looked
    good = file.read_text()
    file.write_text(good.replace(str(receiver.port), "1"))
    assert look() == [(State.FAULT, "notices_unreachable", "uji")]
    file.write_text(good.replace('"sms"', '"whatsapp"'))
    assert look() == [(State.FAULT, "notices_no_gateway", f"{OFFICE}/sms")]
    file.write_text(good + "warna = 1\n")
    assert look() == [(State.FAULT, "notices_invalid", str(file))]
    assert look(notices=None) == [(State.OK, "notices_elsewhere", "")]
    assert look(templates=folder / "tidak-ada") == [(State.OK, "notices_unused", "")]


def test_what_failed_lately_is_a_warning(looked):
    teken, look, _ = looked
    follow(teken)
    returned(teken)
    follow(teken)
    ended = {"outcome": "given_up", "ended_at": "2026-11-19T02:00:00.000000Z"}
    with teken.db.write() as connection:
        connection.execute(update(notices).values(**ended))
    assert look() == [(State.WARNING, "notices_failing", OFFICE), (State.OK, "notices_fine", "uji")]
    teken.clock.forward(days=8)
    assert look() == [(State.OK, "notices_fine", "uji")]
