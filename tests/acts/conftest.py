from __future__ import annotations

import pytest

from tests.acts.desk import furnish, open_house


@pytest.fixture(scope="session")
def furnished(tmp_path_factory, keys):
    return furnish(tmp_path_factory.mktemp("perabot") / "rumah", keys)


@pytest.fixture
def house(tmp_path, keys, furnished):
    """A house of one's own, for stories that change something."""
    opened = open_house(tmp_path / "rumah", keys, furnished)
    yield opened
    opened.teken.close()
