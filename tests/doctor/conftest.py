from __future__ import annotations

import pytest

from tests.doctor.house import build, site
from tests.signing.conftest import _quiet_validator  # noqa: F401 - quiet here too


@pytest.fixture
def place():
    with site() as found:
        yield found


@pytest.fixture
def house(tmp_path, place):
    return build(tmp_path, place)
