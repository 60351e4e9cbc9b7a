"""What was printed is read for ever: literal addresses of each format that was ever issued. Add to them; never change one."""

from __future__ import annotations

import pytest

from service import qr
from service.codes import normalised, readable_url
from service.settings import PROJECT

KEY_V1 = ("d8HoJbVuzsqaJWgMgc4oLvS6e6SxYmMaFZKjX1xU-20", "IFXY2Yz_jU2BlHETOEv6YOOxShL5vnvbvEn_Inzp5_E")
FRAGMENT_V1 = (
    "RAAWU4TPNNQW4LLIOVWHKRAL25WACZCTJFIE26BAGUYDGLRUGQ2S6RCQJVIFIU2QFVJUSUCNF5MESLZSGAZDMLZQGAYXQHKQOV2H"
    "E2JAINXW45DPNAQEQYLOMRQXSYLONEWCAQJOJVSC4GKRFEMVQS66GQSINKKPB3O5UJTT4JL44O53DEQTIAZGNMCNK52C2NTLVIGS"
    "PZ4QGT7QVSXD2DUB7REIDQA5Q7FH4YTXK3WKFWJYIFDMRCQIWV7F4"
)
CODE = "7K3M9QX2V5B8N4TD"
ISSUED = {
    "2026, plain": f"HTTPS://IZIN.ROHUL.EXAMPLE/V/{CODE}",
    "2026, offline v1": f"HTTPS://IZIN.ROHUL.EXAMPLE/V/{CODE}#{FRAGMENT_V1}",
}


@pytest.mark.parametrize("url", ISSUED.values(), ids=ISSUED)
def test_its_code_is_found(url):
    path = url.partition("#")[0].rpartition("/")[2]
    assert normalised(path) == normalised(path.lower()) == CODE
    assert readable_url("https://izin.rohul.example", CODE) == url.partition("#")[0]


def test_the_first_fragment_proves_itself_for_ever():
    said = qr.checked(CODE, FRAGMENT_V1, qr.public_key(*KEY_V1))
    assert (said.office, said.kind, said.number) == ("rokan-hulu", "SIPM", "503.445/DPMPTSP-SIPM/XI/2026/001")
    assert (said.holder, said.valid_from.isoformat()) == ("Putri Contoh Handayani, A.Md.", "2026-11-20")
    assert said.valid_to.isoformat() == "2031-11-20"


def test_the_documentation_shows_this_very_vector():
    words = (PROJECT / "docs" / "QR.md").read_text().replace("\n", "")
    assert ISSUED["2026, offline v1"] in words
    assert all(one in words for one in KEY_V1)
