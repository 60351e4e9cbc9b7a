"""`teken doctor` as an operator meets it: lines, exit codes, the JSON's shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from service.cli import main
from service.doctor.findings import fault as faulty
from service.doctor.findings import well, worded
from service.doctor.report import lines
from tests.doctor.house import HEAD, SECRET, build, write


@pytest.fixture
def real(tmp_path, place, monkeypatch, capfd):
    """A house of today; `real.run(words)` is the command in its environment."""
    house = build(tmp_path, place, now=datetime.now(UTC))
    given = house.settings.model_dump(exclude_unset=True)
    for name, value in given.items():
        if value:
            monkeypatch.setenv(f"TEKEN_{name.upper()}", str(value))

    def run(*words: str) -> tuple[int, str]:
        code = main(["doctor", *words])
        said = capfd.readouterr()
        assert said.err == ""
        return code, said.out

    house.run = run
    return house


def test_all_well(real):
    code, said = real.run()
    assert code == 0
    assert said.splitlines()[-1].startswith("Semua baik: ")
    assert {line[0] for line in said.splitlines()[:-2]} == {"✓"}
    assert "\033" not in said


def test_a_fault_is_one_line_that_names_it_and_says_what_to_do(real):
    (real.keys / "malang.kadis.p12").unlink()
    code, said = real.run()
    assert code == 1
    [line] = [line for line in said.splitlines() if line.startswith("✗")]
    assert line.startswith("✗ salah")
    assert "malang/kadis: Berkas kunci" in line
    assert line.endswith("perbaiki TEKEN_KEYS.")
    assert said.splitlines()[-1].startswith("1 salah, 0 belum diketahui, 0 perlu diawasi, ")


def test_a_warning_is_no_failure(real, monkeypatch):
    monkeypatch.setenv("TEKEN_PUBLIC_URL", "http://127.0.0.1:8000")
    code, said = real.run()
    assert code == 0
    assert [line[:6] for line in said.splitlines() if line.startswith("!")] == ["! awas"]


def test_the_shape_of_the_json(real):
    (real.keys / "malang.kadis.p12").unlink()
    code, said = real.run("--json")
    found = json.loads(said)
    assert code == 1
    assert {tuple(one) for one in found} == {("check", "subject", "state", "code", "message", "remedy")}
    assert {one["state"] for one in found} == {"ok", "fault"}
    assert all(isinstance(value, str) for one in found for value in one.values())


@pytest.mark.parametrize(("typed", "code"), [(SECRET, "key_opens"), (b"bukan-rahasia", "passphrase_wrong")])
def test_an_officials_passphrase_from_a_pipe(real, monkeypatch, tmp_path, typed, code):
    write(tmp_path / "pipa", typed + b"\n")
    with (tmp_path / "pipa").open("rb") as pipe:
        monkeypatch.setattr("service.batch_cli.STDIN", pipe.fileno())
        _, said = real.run("--json", "--official", HEAD, "--passphrase-stdin")
    assert [one["code"] for one in json.loads(said) if one["check"] == "key" and one["subject"] == HEAD] == [code]
    assert typed.decode() not in said


def test_a_wrong_setting_is_named(real, monkeypatch, capfd):
    monkeypatch.setenv("TEKEN_TYPO", "1")
    assert main(["doctor"]) == 2
    assert "TEKEN_TYPO" in capfd.readouterr().err


def test_in_a_pipe_each_line_stands_for_itself(real):
    _, said = real.run()
    listed = said.splitlines()[:-2]
    assert all("  sertifikat  " in line for line in listed if "malang/segel: Sertifikat" in line)
    assert len(listed) == len(json.loads(real.run("--json")[1]))


def test_on_a_terminal_long_lines_go_on_beneath_and_marks_have_colour():
    said = [
        worded("certificate", faulty("certificate_untrusted", "malang/kadis")),
        worded("certificate", well("certificate_fit", "malang/segel")),
    ]
    text = "\n".join(lines(said, width=80, colour=True)).splitlines()
    assert text[0].startswith("\033[31m✗ salah\033[0m  sertifikat  malang/kadis: Tidak ada rantai")
    assert text[1].startswith(" " * 21 + "sertifikat induk")
    assert text[2].startswith(" " * 21 + "→ Periksa")
    assert "\033[32m✓ baik \033[0m              malang/segel" in text[4]
    plain = [line.replace("\033[31m", "").replace("\033[32m", "").replace("\033[0m", "") for line in text]
    assert max(map(len, plain)) <= 80
