from __future__ import annotations

from service.doctor import State
from tests.doctor.house import states


def test_a_house_that_is_well(house):
    found = house.examine()
    for f in found:
        print(f)
    assert states(found, State.FAULT, State.UNKNOWN, State.WARNING) == []
