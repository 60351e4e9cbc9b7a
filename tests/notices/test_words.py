"""Every text is plain, short and the same in both languages; quiet hours are the office's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from string import Template

import pytest

from service.notices.making import KINDS
from service.notices.quiet import earliest
from service.notices.text import TRIAL, words, written
from service.sop.notices import NAMES
from tests.notices.conftest import POLICY

FACTS = {
    "office": "DPMPTSP Kabupaten Rokan Hilir",
    "type": "Surat Izin Praktik Perekam Medis",
    "application": "RV-2026-001234",
    "number": "503.440/001/SIP-PM/DPMPTSP/XI/2026",
    "link": "https://izin.rokanhilir.example/v/0123-4567-89AB-CDEF",
    "until": "30 September 2031",
}
LONGEST = 306
"""Two parts of an SMS."""


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", NAMES)
def test_texts_fit_into_two_parts_of_an_sms_and_name_only_what_they_may(language, kind):
    assert set(Template(words()[language][kind]).get_identifiers()) <= set(NAMES[kind])
    facts = {name: value for name, value in FACTS.items() if name in NAMES[kind]}
    _, text = written(replace(POLICY, language=language), kind, facts)
    assert len(text) <= LONGEST
    assert text.isascii()


def test_both_languages_say_the_same():
    assert set(words()) == {"id", "en"}
    for table in ("link", "subject"):
        assert words()["id"][table].keys() == words()["en"][table].keys()
    assert words()["id"].keys() == words()["en"].keys() == {*NAMES, TRIAL, "link", "subject", "months"}
    assert set(words()["id"]["subject"]) == {*NAMES, TRIAL}
    assert set(KINDS.values()) < set(NAMES)


def test_an_offices_own_words_stand_alone():
    own = replace(POLICY, texts={"ready": "$type $number: $$ $link"})
    assert written(own, "ready", FACTS)[1] == f"{FACTS['type']} {FACTS['number']}: $ {FACTS['link']}"
    assert written(replace(POLICY, link="none"), "ready", FACTS | {"link": ""})[1].endswith("tiket pengambilan.")


@pytest.mark.parametrize(
    ("at", "since", "to", "then"),
    [
        ("2026-11-20T02:00", time(20), time(7), "2026-11-20T02:00"),  # 09:00 in Jakarta
        ("2026-11-20T12:59", time(20), time(7), "2026-11-20T12:59"),
        ("2026-11-20T13:00", time(20), time(7), "2026-11-21T00:00"),
        ("2026-11-20T20:00", time(20), time(7), "2026-11-21T00:00"),  # 03:00 the next day
        ("2026-11-20T05:30", time(12), time(13), "2026-11-20T06:00"),  # midday
        ("2026-11-20T17:00", time(0), time(0), "2026-11-20T17:00"),  # none
    ],
)
def test_quiet_hours_are_those_of_the_offices_zone(at, since, to, then):
    found = earliest(datetime.fromisoformat(at).replace(tzinfo=UTC), since, to, "Asia/Jakarta")
    assert found == datetime.fromisoformat(then).replace(tzinfo=UTC)
