"""`teken renew` and the worker's spare time."""

from __future__ import annotations

import argparse
import json

from service import renewal, renewal_cli
from service.renewal import Rounds
from tests.longterm.test_levels import levels


def renew(world, capsys) -> tuple[int, dict]:
    parser = argparse.ArgumentParser()
    renewal_cli.add_parser(parser.add_subparsers(), lambda: world.teken)
    chosen = parser.parse_args(["renew", "--json"])
    code = chosen.run(chosen)
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_command_says_what_it_did_and_what_waits(world, capsys):
    here = world(target="B-LTA")
    permit = here.issued()
    capsys.readouterr()
    here.tsa.away = True
    code, said = renew(here, capsys)
    assert (code, said["tried"], said["late"][0]["fault"]) == (1, 1, "tsa_unreachable")
    here.tsa.away = False
    here.clock.forward(minutes=11)
    assert renew(here, capsys) == (0, {"tried": 1, "late": [], "expiring": []})
    assert levels(here, permit) == ["B-T", "B-LTA"]


def test_a_target_that_is_raised_later_reaches_what_was_issued_before(world, capsys):
    here = world(target="B-B")
    permit = here.issued()
    assert renew(here, capsys)[1]["tried"] == 0
    import dataclasses

    office = dataclasses.replace(here.teken.offices.offices[here.office], target="B-LT")
    offices = dataclasses.replace(here.teken.offices, offices={**here.teken.offices.offices, here.office: office})
    here.teken = dataclasses.replace(here.teken, offices=offices)
    assert renew(here, capsys)[1]["tried"] == 1
    assert levels(here, permit) == ["B-T", "B-LT"]
    office = dataclasses.replace(office, target="B-LTA")
    offices = dataclasses.replace(offices, offices={here.office: office})
    here.teken = dataclasses.replace(here.teken, offices=offices)
    assert renew(here, capsys)[1]["tried"] == 1
    assert levels(here, permit) == ["B-T", "B-LT", "B-LTA"]


def test_the_worker_looks_in_its_spare_time_and_surveys_once_a_day(world, monkeypatch):
    here = world(target="B-LTA")
    permit = here.issued()
    surveys = []

    def survey(teken):
        surveys.append(teken)
        raise ZeroDivisionError

    monkeypatch.setattr(renewal, "survey", survey)
    rounds = Rounds(seconds=100)
    for _ in range(3):
        rounds.spare(here.teken)
    assert levels(here, permit) == ["B-T", "B-LTA"]
    assert len(surveys) == 1
