"""The signing host's file: who may read it, what it says, and that no error or repr shows a NIK."""

from __future__ import annotations

import pytest

from service.host import HostInvalid, SigningHost, read_host

NIK = "0000907391846205"
BSRE = f"""
[bsre]
url = "https://bsre.example"
user = "contoh"
password_file = "bsre.password"
[bsre.accounts]
"rokan-hilir/kadis" = "{NIK}"
[bsre.seals]
rokan-hilir = "segel-contoh"
"""


@pytest.fixture
def written(tmp_path):
    (tmp_path / "bsre.password").write_text("sandi\n")
    (tmp_path / "bsre.password").chmod(0o600)

    def write(text: str, mode: int = 0o600):
        path = tmp_path / "host.toml"
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_what_is_set_up(written):
    host = read_host(written(BSRE))
    assert (host.pkcs11, host.csc) == (None, None)
    assert host.bsre.accounts == {"rokan-hilir/kadis": NIK}
    assert host.bsre.wire().password == "sandi"
    assert host.bsre.password_file.is_absolute()
    assert NIK not in repr(host)
    assert "segel-contoh" not in repr(host)
    assert read_host(None) == SigningHost()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(written, mode):
    with pytest.raises(HostInvalid, match="0600"):
        read_host(written(BSRE, mode))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BSRE.replace("https://", "http://"), "bsre.url: https only"),
        (BSRE.replace("user =", "usr ="), "bsre.user: missing"),
        (BSRE + "[bssre]\n", "bssre: unknown key"),
        (BSRE.replace("bsre.password", "lain"), "bsre.password_file: no such file"),
        (BSRE.replace(NIK, NIK[:15]), "bsre.accounts: unusable value"),
        (BSRE.replace(f'"rokan-hilir/kadis" = "{NIK}"', f'{NIK} = "rokan-hilir/kadis"'), "bsre.accounts: unusable"),
        (BSRE + f"x = {NIK}zz", "not TOML at line"),
        ("[pkcs11]\nmodule = 'm.so'\ntoken = 't'\n", "pkcs11.certificates: missing"),
    ],
)
def test_an_error_names_file_and_key_and_never_a_value(written, text, said):
    path = written(text)
    with pytest.raises(HostInvalid) as refused:
        read_host(path)
    assert str(refused.value).startswith(f"{path}: {said}")
    assert NIK[:15] not in str(refused.value)


def test_a_secret_file_that_others_may_read_is_refused(written, tmp_path):
    path = written(BSRE)
    (tmp_path / "bsre.password").chmod(0o644)
    with pytest.raises(HostInvalid, match=r"bsre\.password_file: others"):
        read_host(path)


def test_no_file_at_the_set_place(tmp_path):
    with pytest.raises(HostInvalid, match="FileNotFoundError"):
        read_host(tmp_path / "host.toml")
