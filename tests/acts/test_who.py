"""I10: a person acts only in a role, office and dated mandate that he holds at that moment. Whoever may not leaves nothing behind."""

from datetime import UTC, datetime

import pytest

from service.errors import MandateExpired, NotFound, RoleForbids
from service.permits import State
from service.sop.model import Verb
from tests.acts.desk import (
    DECISIONS,
    LONG_AGO,
    RIGHTLY,
    TODAY,
    TOMORROW,
    WAITING,
    YESTERDAY,
    due,
    end_mandate,
    engage,
    everything,
    open_house,
)
from tests.support.office import play, row

RETURNABLE = {Verb.VERIFY, Verb.PARAF, Verb.APPROVE, Verb.SIGN}

# who tries, and what he is told
STRANGERS = [
    ("unknown", NotFound),  # no such person
    ("elsewhere", NotFound),  # holds the very role, in another office: told the same as nobody
    ("colleague", RoleForbids),  # every role of this office but this one
    ("former", MandateExpired),  # until yesterday
    ("coming", MandateExpired),  # from tomorrow
    ("twice_gone", MandateExpired),  # two mandates, neither today
]


@pytest.fixture(scope="module")
def waiting(tmp_path_factory, keys, furnished):
    """One permit for every act that can wait for a person, one in force for decisions, and every stranger of every role."""
    house = open_house(tmp_path_factory.mktemp("meja") / "rumah", keys, furnished)
    permits = {stage: house.bring(stage) for stage in WAITING}
    permits["in force"] = permits["print"]
    for office in house.teken.offices.offices.values():
        roles = [code for code, role in office.roles.items() if role.internal]
        for role in roles:
            others = [(other, "definitif", LONG_AGO, None) for other in roles if other != role]
            engage(house.teken, office.code, f"colleague_{role}", *others)
            engage(house.teken, office.code, f"former_{role}", (role, "definitif", LONG_AGO, YESTERDAY))
            engage(house.teken, office.code, f"coming_{role}", (role, "definitif", TOMORROW, None))
            gone = [(role, "plt", LONG_AGO, LONG_AGO), (role, "plh", TOMORROW, TOMORROW)]
            engage(house.teken, office.code, f"twice_gone_{role}", *gone)
            engage(house.teken, "kudus" if office.code != "kudus" else "malang", f"elsewhere_{office.code}_{role}",
                   (role, "definitif", LONG_AGO, None))  # fmt: skip
    yield house, permits
    house.teken.close()


def stranger(house, permit: str, who: str, role: str | None = None) -> str:
    office, role = house.row(permit).office, role or due(house.teken, permit).role
    if who == "unknown":
        return f"{office}/tidak_ada"
    if who == "elsewhere":
        return f"{'kudus' if office != 'kudus' else 'malang'}/elsewhere_{office}_{role}"
    return f"{office}/{who}_{role}"


@pytest.mark.parametrize(("who", "error"), STRANGERS)
@pytest.mark.parametrize("stage", WAITING)
def test_nobody_but_the_holder_of_the_rows_role_acts(waiting, stage, who, error):
    house, permits = waiting
    permit, verb = permits[stage], WAITING[stage][2]
    before = everything(house.teken)
    attempts = [RIGHTLY[str(verb)]] + ([RIGHTLY["return"]] if verb in RETURNABLE else [])
    for attempt in attempts:
        with pytest.raises(error):
            attempt(house.teken, stranger(house, permit, who), permit)
    assert everything(house.teken) == before


@pytest.mark.parametrize(("who", "error"), STRANGERS)
@pytest.mark.parametrize("decision", ["suspend", "revoke"])
def test_nobody_but_the_head_decides_after_issue(waiting, decision, who, error):
    house, permits = waiting
    before = everything(house.teken)
    with pytest.raises(error):
        DECISIONS[decision](house.teken, stranger(house, permits["in force"], who, "kepala_dinas"), permits["in force"])
    assert everything(house.teken) == before


@pytest.mark.parametrize("act", [*RIGHTLY, *DECISIONS])
def test_an_unknown_permit_is_told_as_such(waiting, act):
    house, _ = waiting
    before = everything(house.teken)
    with pytest.raises(NotFound, match="permit_unknown"):
        (RIGHTLY | DECISIONS)[act](house.teken, "malang/kadis", "izn_00000000000000000000")
    assert everything(house.teken) == before


# the mandate's last or first day is counted in the office's own calendar: Jakarta is seven hours ahead of UTC
@pytest.mark.parametrize(
    ("since", "until", "at", "may"),
    [
        (LONG_AGO, TODAY, datetime(2026, 11, 20, 16, 59, 59, 999999, UTC), True),
        (LONG_AGO, TODAY, datetime(2026, 11, 20, 17, 0, 0, 0, UTC), False),
        (TOMORROW, None, datetime(2026, 11, 20, 16, 59, 59, 999999, UTC), False),
        (TOMORROW, None, datetime(2026, 11, 20, 17, 0, 0, 0, UTC), True),
        (TODAY, TODAY, datetime(2026, 11, 19, 16, 59, 59, 0, UTC), False),
        (TODAY, TODAY, datetime(2026, 11, 19, 17, 0, 0, 0, UTC), True),
    ],
)
def test_a_mandate_holds_from_its_first_to_its_last_day_of_the_offices_calendar(house, since, until, at, may):
    permit = house.bring("paraf")
    deputy = engage(house.teken, "malang", "pengganti", ("ahli_madya", "plt", since, until))
    house.clock.at = at
    if may:
        assert RIGHTLY["paraf"](house.teken, deputy, permit)["state"] == "in_paraf"
        return
    before = everything(house.teken)
    with pytest.raises(MandateExpired):
        RIGHTLY["paraf"](house.teken, deputy, permit)
    assert everything(house.teken) == before


def test_a_person_with_an_ended_and_a_current_mandate_acts_under_the_current_one(house):
    from tests.procedures.stories import done

    permit = house.bring("paraf")
    ended = ("ahli_madya", "definitif", LONG_AGO, YESTERDAY)
    deputy = engage(house.teken, "malang", "pengganti", ended, ("ahli_madya", "plt", TODAY, TODAY))
    RIGHTLY["paraf"](house.teken, deputy, permit)
    assert done(house.teken, permit)[-1] == (6, "paraf", "ahli_madya", "pengganti")


def test_the_mandate_of_every_act_is_on_record(house):
    """An auditor can ask under which decision somebody acted: the act names the mandate, not only the person."""
    from sqlalchemy import select

    from service.store.tables import acts

    permit = house.bring("sign, number after")
    end_mandate(house.teken, "malang/kadis", "kepala_dinas", TODAY)
    play(house.teken, permit)
    with house.teken.db.read() as connection:
        query = select(acts.c.verb, acts.c.mandate).where(acts.c.permit == permit, acts.c.official.is_not(None))
        named = {verb: mandate for verb, mandate in connection.execute(query)}
    assert named["sign"] == "malang/kadis/1"
    assert all(named.values())
    assert row(house.teken, permit).state == State.IN_FORCE
