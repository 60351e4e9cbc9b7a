"""The host's own file: what it may say, who may read it, and which outlet an office gets."""

from __future__ import annotations

import pytest

from service.host import HostInvalid
from service.notices.gateways import read_gateways

GOOD = """
[http.wa]
channel = "whatsapp"
url = "https://gateway.example/send"
headers = { Authorization = "Bearer rahasia-sekali" }
body = { to = "{to_plain}", parts = [{ text = "{text}" }] }

[http.wa-malang]
channel = "whatsapp"
offices = ["malang"]
url = "http://127.0.0.1:9000/send"
format = "form"
body = { to = "{to}", text = "{text}" }

[smtp.surel]
host = "mail.example"
sender = "izin@dinas.example"
user = "kita"
password = "rahasia-sekali"
"""


@pytest.fixture
def file(tmp_path):
    def write(text: str = GOOD, mode: int = 0o600):
        path = tmp_path / "notices.toml"
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_nothing_is_set_up_without_a_file():
    assert read_gateways(None).of("malang", "whatsapp") is None


def test_an_office_gets_its_own_outlet_before_everybodys(file):
    found = read_gateways(file())
    assert found.of("malang", "whatsapp").name == "wa-malang"
    assert found.of("kudus", "whatsapp").name == "wa"
    assert found.of("kudus", "email").sender.host == "mail.example"
    assert found.of("kudus", "sms") is None
    assert "rahasia" not in repr(found)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_nobody_else_may_read_it(file, mode):
    with pytest.raises(HostInvalid, match="0600"):
        read_gateways(file(mode=mode))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("https://gateway.example/send", "http://gateway.example/send", "http.wa.url"),
        ("https://gateway.example/send", "https://kita:rahasia@gateway.example/send", "http.wa.url"),
        ("https://gateway.example/send", "https://gateway.example/send?key=rahasia", "http.wa.url"),
        ("https://gateway.example/send", "https://gateway.example/a b", "http.wa.url"),
        ('channel = "whatsapp"\nurl', 'channel = "pos"\nurl', "http.wa.channel"),
        ("Bearer rahasia-sekali", "Bearer rahasia\\nX-Lain: 1", "http.wa.headers.Authorization"),
        ('"{text}" }]', '"Halo {text}" }]', "http.wa.body"),
        ('"{text}" }]', '"{nik}" }]', "http.wa.body"),
        ('body = { to = "{to}", text', 'body = { to = ["{to}"], text', "http.wa-malang.body: unusable value"),
        ('sender = "izin@dinas.example"', 'sender = "izin"', "smtp.surel.sender"),
        ('host = "mail.example"', 'host = "mail.example"\ntls = "none"', "smtp.surel.tls"),
        ('host = "mail.example"', 'host = "mail.example"\nca_file = "tidak-ada.pem"', "smtp.surel.ca_file"),
        ('host = "mail.example"', 'host = "mail.example"\nwarna = 1', "smtp.surel.warna: unknown key"),
        ("[smtp.surel]", "[pos.surel]", "pos: unknown key"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_quoted(file, tmp_path, old, new, place):
    assert GOOD.count(old) == 1
    with pytest.raises(HostInvalid) as caught:
        read_gateways(file(GOOD.replace(old, new)))
    assert place in str(caught.value)
    assert "rahasia" not in str(caught.value).replace(str(tmp_path), "")


def test_mail_in_clear_only_on_this_machine(file):
    found = read_gateways(file(GOOD.replace('host = "mail.example"', 'host = "127.0.0.1"\ntls = "none"')))
    assert found.of("malang", "email").sender.tls == "none"
