from __future__ import annotations

import pytest

from tests.acts.desk import open_house


@pytest.fixture
def house(tmp_path, keys):
    """A house of one's own, for stories that change something."""
    opened = open_house(tmp_path, keys)
    yield opened
    opened.teken.close()
