"""A permit on which a step keeps failing is set aside, visibly, and goes on from where it stuck when the operator says so."""

from __future__ import annotations

import pytest

from service import acts
from service.corrections import withdraw
from service.errors import StateForbids
from service.queries import waiting
from service.steps import STEPS as REAL_STEPS
from tests.acts.desk import KUDUS, MALANG, ROHIL, ROHUL, everything
from tests.procedures.stories import seen_codes, told_data
from tests.support.office import payload, play, post, qr_text, take_turn, work

# the step that fails, in which procedure, the state in which the permit then sticks
STEPS = [
    ("assemble", ROHIL, "received"),
    ("assemble", MALANG, "received"),
    ("number", ROHIL, "drafted"),
    ("number", ROHUL, "in_paraf"),
    ("number", KUDUS, "signed"),
    ("render", ROHIL, "numbered"),
    ("sign", ROHIL, "signing"),
    ("sign", MALANG, "signing"),
    ("seal", ROHUL, "signed"),
    ("seal", MALANG, "signed"),
    ("issue", ROHIL, "signed"),
    ("issue", KUDUS, "sealed"),
    ("notify", ROHIL, "in_force"),
    ("archive", MALANG, "in_force"),
]


class Refused(RuntimeError):
    """What a step raises here."""


def stuck(house, kind, step: str, monkeypatch) -> str:
    """Play until the step has failed as often as it may."""

    def refuse(teken, work_):
        raise Refused("Siti Contoh Rahmawati")  # a fault may quote the case: its text goes nowhere

    permit = post(house.teken, house.clients[kind[0]], payload(*kind)).body["id"]
    with monkeypatch.context() as patch:
        patch.setitem(REAL_STEPS, step, refuse)
        for _ in range(60):
            work(house.teken)
            if house.row(permit).parked_from:
                return permit
            if house.row(permit).queue == "person":
                take_turn(house.teken, permit)
            house.clock.forward(minutes=3)
    raise AssertionError("it was never parked")


@pytest.mark.parametrize(("step", "kind", "state"), STEPS)
def test_it_is_parked_shown_resumed_and_issued(house, monkeypatch, capsys, step, kind, state):
    permit = stuck(house, kind, step, monkeypatch)
    parked = house.row(permit)
    assert (parked.parked_from, parked.queue, parked.fault) == (state, "none", "internal:Refused")
    assert parked.state == ("in_force" if state == "in_force" else "parked")  # the world's answer does not change
    [shown] = [one for one in waiting(house.teken, kind[0]) if one["id"] == permit]
    assert shown["fault"] == "internal:Refused"
    [told] = told_data(house.teken, permit, "permit.parked")
    assert (told["fault"], told["from"]) == ("internal:Refused", state)
    assert "Siti" not in str(everything(house.teken)["events"]) + capsys.readouterr().out

    answer = acts.resume_parked(house.teken, permit)
    assert (answer["state"], house.row(permit).attempts) == (state, 0)
    play(house.teken, permit)
    issued = house.row(permit)
    assert (issued.state, issued.fault, issued.parked_from) == ("in_force", None, None)
    assert seen_codes(house.teken.archive.get(issued.released_sha)) == [qr_text(issued)]


def test_only_a_parked_permit_is_resumed(house):
    permit = house.bring("paraf")
    before = everything(house.teken)
    with pytest.raises(StateForbids):
        acts.resume_parked(house.teken, permit)
    assert everything(house.teken) == before


def test_it_is_resumed_once(house, monkeypatch):
    permit = stuck(house, ROHIL, "number", monkeypatch)
    acts.resume_parked(house.teken, permit)
    before = everything(house.teken)
    with pytest.raises(StateForbids):
        acts.resume_parked(house.teken, permit)
    assert everything(house.teken) == before


def test_a_parked_case_can_be_withdrawn_and_its_number_is_voided(house, monkeypatch):
    permit = stuck(house, ROHIL, "render", monkeypatch)
    withdraw(house.teken, house.clients["rokan-hilir"], permit, "pemohon membatalkan")
    assert house.row(permit).state == "closed"
    [told] = told_data(house.teken, permit, "permit.withdrawn")
    assert told["voided"] == "503.440/001/SIP-PM/DPMPTSP/2026"
    before = everything(house.teken)
    with pytest.raises(StateForbids):
        acts.resume_parked(house.teken, permit)
    assert everything(house.teken) == before


def test_people_cannot_act_on_a_parked_permit(house, monkeypatch):
    permit = stuck(house, ROHIL, "sign", monkeypatch)
    before = everything(house.teken)
    for attempt in (
        lambda: acts.order_signature(house.teken, "rokan-hilir/kadis", permit, seen_sha=house.row(permit).final_sha),
        lambda: acts.give_back(house.teken, "rokan-hilir/kadis", permit, reason="keliru"),
    ):
        with pytest.raises(StateForbids):
            attempt()
    assert everything(house.teken) == before
