"""An act is done when it is due, once, on the paper that was seen. What is refused leaves nothing behind."""

import json
from functools import partial

import pytest
from sqlalchemy import func, select

from service import acts, skm, surveys
from service.corrections import newest
from service.errors import Conflict, Invalid, ReasonRequired, RoleForbids, StateForbids
from service.permits import State
from service.sop.model import Verb
from service.store.tables import acts as acts_table
from service.store.tables import handovers
from service.store.tables import surveys as forms
from service.turn import REASON_LENGTH
from tests.acts.desk import DECISIONS, LONG_AGO, RIGHTLY, WAITING, engage, everything, open_house, ticket
from tests.procedures.stories import told_data
from tests.support.office import payload, play, post, row, work

EVERYBODY = "serba_bisa"
READINGS = {"verify", "paraf", "approve"}


def with_everybody(house):
    """One person per office who holds every role: whatever he is refused is not because of who he is."""
    for office in house.teken.offices.offices.values():
        held = [(code, "definitif", LONG_AGO, None) for code, role in office.roles.items() if role.internal]
        engage(house.teken, office.code, EVERYBODY, *held)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory, keys, furnished):
    house = open_house(tmp_path_factory.mktemp("saat") / "rumah", keys, furnished)
    permits = {stage: house.bring(stage) for stage in WAITING}
    permits |= _not_waiting(house)
    with_everybody(house)
    yield house, permits
    house.teken.close()


def _not_waiting(house) -> dict[str, str]:
    """Permits at which nobody's act is due: with the worker, with the signing process, returned, withdrawn, at the end."""
    from service.corrections import withdraw

    teken, client = house.teken, house.clients["rokan-hilir"]
    found = {}
    found["at its end"] = house.bring("handover", "UJI-AKHIR")
    play(teken, found["at its end"])
    found["returned"] = house.bring("sign, number first", "UJI-KEMBALI")
    acts.give_back(teken, "rokan-hilir/kadis", found["returned"], reason="mohon diperbaiki")
    found["withdrawn"] = house.bring("sign, number first", "UJI-TARIK")
    withdraw(teken, client, found["withdrawn"], "batal")
    found["revoked"] = house.bring("print", "UJI-CABUT")
    DECISIONS["revoke"](teken, "rokan-hilir/kadis", found["revoked"])
    found["suspended"] = house.bring("print", "UJI-BEKU")
    DECISIONS["suspend"](teken, "rokan-hilir/kadis", found["suspended"])
    found["signing"] = house.bring("sign, number first", "UJI-TTE")
    RIGHTLY["sign"](teken, "rokan-hilir/kadis", found["signing"])
    found["just received"] = post(teken, client, payload("rokan-hilir", "sip-perekam-medis", "UJI-BARU")).body["id"]
    return found


IDLE = ["at its end", "returned", "withdrawn", "revoked", "suspended", "signing", "just received"]


@pytest.mark.parametrize("stage", [*WAITING, *IDLE])
def test_only_the_act_that_is_due_can_be_done(waiting, stage):
    house, permits = waiting
    permit = permits[stage]
    whoever = f"{house.row(permit).office}/{EVERYBODY}"
    due = {str(WAITING[stage][2])} if stage in WAITING else set()
    due |= {"return"} if due & (READINGS | {"sign"}) else set()
    before = everything(house.teken)
    for verb in set(RIGHTLY) - due:
        with pytest.raises(StateForbids):
            RIGHTLY[verb](house.teken, whoever, permit)
    assert everything(house.teken) == before


# state, and what the head may decide
@pytest.mark.parametrize(
    ("stage", "allowed"),
    [
        ("just received", set()),
        ("verify", set()),
        ("sign, number first", set()),
        ("signing", set()),
        ("returned", set()),
        ("withdrawn", set()),
        ("print", {"suspend", "revoke"}),
        ("at its end", {"suspend", "revoke"}),
        ("suspended", {"reinstate", "revoke"}),
        ("revoked", set()),
    ],
)
def test_the_head_decides_only_what_the_table_of_states_allows(waiting, stage, allowed):
    house, permits = waiting
    head = "kudus/plt_kadis" if stage == "verify" else "rokan-hilir/kadis"
    before = everything(house.teken)
    for decision in set(DECISIONS) - allowed:
        with pytest.raises(StateForbids):
            DECISIONS[decision](house.teken, head, permits[stage])
    assert everything(house.teken) == before


READ_AND_SIGNED = [stage for stage, (*_, verb) in WAITING.items() if str(verb) in READINGS | {"sign"}]


@pytest.mark.parametrize("stage", READ_AND_SIGNED)
def test_what_was_seen_is_what_is_there_or_nothing_happens(waiting, stage):
    house, permits = waiting
    permit = house.row(permits[stage])
    paper = permit.final_sha or permit.draft_sha
    other = house.row(permits["print"])
    wrong = [None, "", "0" * 64, other.released_sha, other.draft_sha]
    wrong += [permit.draft_sha] if permit.final_sha else []
    verb = WAITING[stage][2]
    before = everything(house.teken)
    act = acts.order_signature if verb is Verb.SIGN else partial(acts.read, verb=verb)
    for sha in {*wrong} - {paper}:  # where nothing was typeset yet, having seen nothing is right
        with pytest.raises(Conflict, match="seen_differs"):
            act(house.teken, house.rightful(permit.id), permit.id, seen_sha=sha)
    assert everything(house.teken) == before


@pytest.mark.parametrize("stage", WAITING)
def test_an_act_is_done_once(house, stage):
    """A second click, an impatient script: the act, its event and its entries are there one time."""
    permit, verb = house.bring(stage), str(WAITING[stage][2])
    who = house.rightful(permit)
    RIGHTLY[verb](house.teken, who, permit)
    before = everything(house.teken)
    with pytest.raises((StateForbids, RoleForbids)):  # the next row may be of the same verb and another person
        RIGHTLY[verb](house.teken, who, permit)
    assert everything(house.teken) == before
    if verb != "sign":  # the signature's act is the signing process's
        with house.teken.db.read() as connection:
            mine = (acts_table.c.permit == permit) & (acts_table.c.verb == verb)
            mine &= acts_table.c.row == WAITING[stage][1]
            assert connection.execute(select(func.count()).select_from(acts_table).where(mine)).scalar_one() == 1


@pytest.mark.parametrize("stage", READ_AND_SIGNED)
@pytest.mark.parametrize("reason", ["", "   ", "\n\t "])
def test_a_return_needs_a_reason(waiting, stage, reason):
    house, permits = waiting
    before = everything(house.teken)
    with pytest.raises(ReasonRequired):
        acts.give_back(house.teken, house.rightful(permits[stage]), permits[stage], reason=reason)
    assert everything(house.teken) == before


@pytest.mark.parametrize("stage", READ_AND_SIGNED)
def test_whoever_reads_or_signs_may_return_instead_and_upstream_is_told_why(house, stage):
    permit = house.bring(stage)
    number = house.row(permit).number
    acts.give_back(house.teken, house.rightful(permit), permit, reason="  alamat   tidak\nlengkap ")
    now = house.row(permit)
    assert (now.state, now.queue, now.number) == ("returned", "none", number)
    [told] = told_data(house.teken, permit, "case.returned")
    assert (told["reason"], told["by"]) == ("alamat tidak lengkap", "official")


@pytest.mark.parametrize("told", ["nama", "nik", "wa", "email", "another's NIK"])
def test_a_reason_that_names_the_applicant_stays_with_the_official(house, told):
    permit = house.bring("paraf")
    with house.teken.db.read() as connection:
        applicant = json.loads(newest(connection, house.row(permit)).body)["applicant"]
    applicant["another's NIK"] = "3301-0101 0190 0001"
    before = everything(house.teken)
    with pytest.raises(Invalid) as refused:
        acts.give_back(house.teken, house.rightful(permit), permit, reason=f"berkas ({applicant[told].upper()}) buram")
    assert [one.code for one in refused.value.faults] == ["reason_personal"]
    assert applicant[told] not in str(refused.value)
    assert everything(house.teken) == before
    acts.give_back(house.teken, house.rightful(permit), permit, reason="nama tidak sama, STR 1234567890123456789 buram")


def test_a_reason_is_cut_to_its_length(house):
    permit = house.bring("paraf")
    acts.give_back(house.teken, house.rightful(permit), permit, reason="a" * 10_000)
    assert told_data(house.teken, permit, "case.returned")[0]["reason"] == "a" * REASON_LENGTH


def test_there_is_no_return_once_the_signature_is_ordered(house):
    """Not while the signing process works, nor after it: what is signed is issued or, later, revoked."""
    from service import pipeline

    permit = house.bring("sign, number after")
    RIGHTLY["sign"](house.teken, "malang/kadis", permit)
    seen = []
    while True:
        seen.append(house.row(permit).state)
        before = everything(house.teken)
        with pytest.raises((StateForbids, RoleForbids)):  # once it is issued, others are due
            acts.give_back(house.teken, "malang/kadis", permit, reason="terlambat")
        assert everything(house.teken) == before
        if not (pipeline.advance(house.teken, "sign", permit) or pipeline.advance(house.teken, "work", permit)):
            break
    assert set(seen) == {"signing", "signed", "sealed", "in_force"}


ANSWERS = dict.fromkeys(skm.ELEMENTS, 3)
# answers, and the places that are refused
BAD_ANSWERS = [
    ({}, {f"/answers/{element}": "required" for element in skm.ELEMENTS}),
    (ANSWERS | {"U1": 0}, {"/answers/U1": "out_of_range"}),
    (ANSWERS | {"U9": 5}, {"/answers/U9": "out_of_range"}),
    (ANSWERS | {"U4": -1}, {"/answers/U4": "out_of_range"}),
    (ANSWERS | {"U4": None}, {"/answers/U4": "out_of_range"}),
    (ANSWERS | {"U4": "3"}, {"/answers/U4": "out_of_range"}),
    (ANSWERS | {"U4": 2.5}, {"/answers/U4": "out_of_range"}),
    (ANSWERS | {"U4": 3.0}, {"/answers/U4": "out_of_range"}),
    (ANSWERS | {"U4": True}, {"/answers/U4": "out_of_range"}),
    (ANSWERS | {"U4": [3]}, {"/answers/U4": "out_of_range"}),
    ({key: value for key, value in ANSWERS.items() if key != "U7"}, {"/answers/U7": "required"}),
    (ANSWERS | {"U10": 3}, {"/answers/U10": "unknown_key"}),
    (ANSWERS | {"u1": 3}, {"/answers/u1": "unknown_key"}),
]


@pytest.mark.parametrize(("answers", "places"), BAD_ANSWERS)
def test_a_survey_has_nine_answers_from_one_to_four(waiting, answers, places):
    house, permits = waiting
    permit = permits["survey"]
    before = everything(house.teken)
    with pytest.raises(Invalid) as refusal:
        surveys.take(house.teken, house.rightful(permit), permit, answers=answers)
    assert {fault.pointer: fault.code for fault in refusal.value.faults} == places
    assert everything(house.teken) == before


@pytest.mark.parametrize("grade", [1, 4])
def test_the_least_and_the_best_grade_count(house, grade):
    permit = house.bring("survey")
    surveys.take(house.teken, house.rightful(permit), permit, answers=dict.fromkeys(skm.ELEMENTS, grade))
    assert house.row(permit).position == WAITING_POSITION["handover"]


WAITING_POSITION = {"handover": 8}


def test_answers_cannot_be_led_back_to_the_permit(house):
    """Only office, type and month stand beside them; the journal says that a form was filled, not how."""
    permit = house.bring("survey")
    surveys.take(house.teken, house.rightful(permit), permit, answers=ANSWERS | {"U5": 1})
    with house.teken.db.read() as connection:
        [answer] = connection.execute(select(forms)).mappings().all()
    assert set(answer) == {"id", "office", "type", "month", "answers"}
    assert answer["month"] == "2026-11"
    assert permit not in str(dict(answer))
    assert "U5" not in str(told_data(house.teken, permit, "permit.surveyed"))


def test_nothing_is_handed_over_before_the_survey(waiting):
    house, permits = waiting
    permit = permits["survey"]
    before = everything(house.teken)
    with pytest.raises(StateForbids):
        RIGHTLY["handover"](house.teken, house.rightful(permit), permit)
    assert everything(house.teken) == before


@pytest.mark.parametrize(
    "shown",
    [
        "",
        " ",
        "00000000",
        "tiket",
        "tikét ①",
        "\ud800",
        "the code of the permit",
        "another's ticket",
        "half of it",
        "twice",
    ],
)
def test_the_paper_goes_only_to_who_shows_its_ticket(waiting, shown):
    house, permits = waiting
    permit = permits["handover"]
    own = ticket(house.teken, permit)
    presented = {
        "the code of the permit": house.row(permit).code,
        "another's ticket": ticket(house.teken, permits["print"]),
        "half of it": own[:4],
        "twice": own + own,
    }.get(shown, shown)
    before = everything(house.teken)
    with pytest.raises(Conflict, match="ticket_differs"):
        acts.hand_over(house.teken, house.rightful(permit), permit, identity="ktp", ticket=presented)
    assert everything(house.teken) == before


@pytest.mark.parametrize("identity", ["", "sim", "KTP", "paspor"])
def test_the_paper_goes_only_against_ktp_or_surat_kuasa(waiting, identity):
    house, permits = waiting
    permit = permits["handover"]
    before = everything(house.teken)
    with pytest.raises(Invalid) as refusal:
        acts.hand_over(
            house.teken, house.rightful(permit), permit, identity=identity, ticket=ticket(house.teken, permit)
        )
    assert [fault.pointer for fault in refusal.value.faults] == ["/identity"]
    assert everything(house.teken) == before


def test_a_ticket_may_be_typed_as_people_type_and_the_register_counts_on(house):
    forms = [str.lower, lambda code: f" {code[:4]}-{code[4:]} ", str]
    for turn, form in enumerate(forms, start=1):
        permit = house.bring("handover", f"UJI-{turn}")
        typed = form(ticket(house.teken, permit)).replace("0", "O" if turn == 1 else "0")
        acts.hand_over(house.teken, house.rightful(permit), permit, identity="surat_kuasa", ticket=typed)
        assert told_data(house.teken, permit, "permit.handed_over")[0]["no"] == turn
    with house.teken.db.read() as connection:
        assert [one.no for one in connection.execute(select(handovers).order_by(handovers.c.no))] == [1, 2, 3]


def test_a_suspended_permit_is_not_handed_over_until_it_is_in_force_again(house):
    permit = house.bring("handover")
    DECISIONS["suspend"](house.teken, "rokan-hilir/kadis", permit)
    before = everything(house.teken)
    with pytest.raises(StateForbids):
        RIGHTLY["handover"](house.teken, "rokan-hilir/back_office_1", permit)
    assert everything(house.teken) == before
    DECISIONS["reinstate"](house.teken, "rokan-hilir/kadis", permit)
    RIGHTLY["handover"](house.teken, "rokan-hilir/back_office_1", permit)
    assert row(house.teken, permit).state == State.IN_FORCE


def test_nobody_waits_for_a_revoked_permit(house):
    """It was revoked before it was printed: it leaves the waiting list, and upstream is not told that it can be fetched."""
    from service import pipeline
    from service.queries import waiting

    permit = house.bring("sign, number first")
    RIGHTLY["sign"](house.teken, "rokan-hilir/kadis", permit)
    while house.row(permit).state != State.IN_FORCE:
        pipeline.advance(house.teken, "sign", permit) or pipeline.advance(house.teken, "work", permit)
    DECISIONS["revoke"](house.teken, "rokan-hilir/kadis", permit)
    work(house.teken)
    assert (house.row(permit).state, house.row(permit).queue) == ("revoked", "none")
    assert [one["id"] for one in waiting(house.teken, "rokan-hilir")] == []
    assert told_data(house.teken, permit, "permit.ready") == []


@pytest.mark.parametrize("to", ["suspend", "revoke"])
@pytest.mark.parametrize(("decision", "reason"), [("", "alasan"), ("SK 1", ""), (" ", "alasan"), ("SK 1", " \n")])
def test_a_decision_has_a_number_and_a_reason(waiting, to, decision, reason):
    house, permits = waiting
    state = State.SUSPENDED if to == "suspend" else State.REVOKED
    before = everything(house.teken)
    with pytest.raises(ReasonRequired):
        acts.decide(house.teken, "rokan-hilir/kadis", permits["print"], to=state, decision=decision, reason=reason)
    assert everything(house.teken) == before


def test_suspended_reinstated_suspended_revoked(house):
    """Each decision is told with its number and the mandate, and its reason only as a hash."""
    permit = house.bring("print")
    for decision, state in (
        ("suspend", "suspended"),
        ("reinstate", "in_force"),
        ("suspend", "suspended"),
        ("revoke", "revoked"),
    ):
        DECISIONS[decision](house.teken, "rokan-hilir/kadis", permit)
        assert house.row(permit).state == state
    [told] = told_data(house.teken, permit, "permit.revoked")
    assert (told["decision"], told["mandate"]) == ("SK 1/2026", "rokan-hilir/kadis/1")
    assert "pemeriksaan" not in str(told)
    assert len(told["reason_sha256"]) == 64
