"""Where an archive lies is read whole at start, and a wrong address names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.archive_place import Bucket, Folder, place_of
from service.settings import Settings, SettingsInvalid

ELSEWHERE = Path("/arsip")


def test_a_folder():
    assert place_of("", ELSEWHERE) == Folder(ELSEWHERE)
    assert place_of("file:///srv/arsip", ELSEWHERE) == place_of("/srv/arsip", ELSEWHERE) == Folder(Path("/srv/arsip"))


def test_a_bucket():
    given = "s3://dinas-arsip/teken/2026?endpoint=https://s3.contoh.go.id:9000&region=id-1&lock=governance&years=30&profile=dua"
    wanted = Bucket("dinas-arsip", "teken/2026/", "https://s3.contoh.go.id:9000", "id-1", "governance", 30, "dua")
    assert place_of(given, ELSEWHERE) == wanted
    assert place_of("s3://dinas-arsip", ELSEWHERE) == Bucket(
        "dinas-arsip", "", "", "us-east-1", "compliance", 10, "default"
    )


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("https://s3.contoh.go.id/arsip", "s3://"),
        ("s3://kunci:rahasia@arsip/", "no key"),
        ("s3://ARSIP", "bucket"),
        ("s3:///x", "bucket"),
        ("s3://arsip/../x", "prefix"),
        ("s3://arsip/a b", "prefix"),
        ("s3://arsip?endpoint=s3.contoh.go.id", "endpoint"),
        ("s3://arsip?endpoint=https://kunci:rahasia@s3", "endpoint"),
        ("s3://arsip?lock=forever", "lock"),
        ("s3://arsip?years=0", "years"),
        ("s3://arsip?years=-1", "years"),
        ("s3://arsip?retain=5", "retain"),
        ("s3://arsip?region=a&region=b", "region"),
    ],
)
@pytest.mark.parametrize("name", ["TEKEN_ARCHIVE_URL", "TEKEN_ARCHIVE_SECOND"])
def test_a_wrong_address_refuses_to_start_and_tells_no_key(url, part, name):
    with pytest.raises(SettingsInvalid, match=part) as told:
        Settings.from_environment({name: url})
    assert str(told.value).startswith(f"{name}: ")
    assert "rahasia" not in str(told.value)
