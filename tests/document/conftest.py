from __future__ import annotations

from functools import cache

import pytest

from service.document import Typesetter
from tests.document.offices import KINDS, files


@pytest.fixture(scope="session")
def typesetters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typesetting")

    @cache
    def typesetter(kind: str) -> Typesetter:
        office, permit = KINDS[kind]
        return Typesetter(files(office.code, permit.code), office.code, permit.code, folder)

    return typesetter


@pytest.fixture
def typeset(typesetters):
    from tests.document.offices import AT, photo

    def one(kind: str, page, **over):
        return typesetters(kind).typeset(page, **{"photo": photo(kind), "timestamp": AT, **over})

    return one
