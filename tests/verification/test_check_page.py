"""The page that checks a file: every verdict in both languages, two questions apart, green only where both answers are good."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.store import StoreBusy
from service.verification import MOST_BYTES, Verdict, command, file, judgement
from service.verification.checks import Checks
from service.web import check_page
from signing import inspect
from tests.signing.attacks import CORPUS
from tests.support.office import NOW
from tests.verification.test_page import Outline

LANGUAGES = ["", "?lang=en"]
JUDGING = "".join(Path(one.__file__).read_text() for one in (command, file, judgement))
TELLING = {"wait": "amber", "bad": "red", "past": "grey", "good": "green"}


def sent(pdf: bytes, field: str = "berkas") -> dict:
    return {"data": {field: (io.BytesIO(pdf), "izin 1234567890123456.pdf")}, "content_type": "multipart/form-data"}


def short(pdf: bytes, length: int) -> dict:
    """A body that is not as long as it says."""
    return {"data": pdf, "content_type": "application/pdf", "environ_overrides": {"CONTENT_LENGTH": str(length)}}


def panels(text: str) -> list[tuple[str, str]]:
    """Colour and headline of each panel, in their order."""
    found = re.findall(r'<section class="panel (\w+)".*?<h[12][^>]*>(.*?)</h[12]>', text, re.DOTALL)
    return [(TELLING[tone], head) for tone, head in found]


def checked(browser, pdf: bytes, lang: str = "") -> str:
    answer = browser.post(f"/periksa{lang}", **sent(pdf))
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_form_is_sound_and_needs_nothing(browse, lang):
    answer = browse().get(f"/periksa{lang}")
    page = Outline(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert page.all("script") == page.all("iframe") == []
    given = page.all("input")[0]
    assert (given["type"], given["name"]) == ("file", "berkas")
    form = page.all("form")[0]
    assert form == {"class": "upload", "action": f"/periksa{lang}", "method": "post", "enctype": "multipart/form-data"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Set-Cookie" not in answer.headers
    assert len(answer.data) < 30_000


@pytest.mark.parametrize(
    ("name", "colours", "word"),
    [
        ("malang", ["green", "green"], "Berkas asli, izin berlaku"),
        ("suspended", ["amber", "amber"], "Berkas asli, tetapi izin dibekukan"),
        ("revoked", ["red", "red"], "Berkas asli, tetapi izin dicabut"),
        ("old", ["amber", "amber"], "Berkas asli, tetapi izin sudah diganti"),
    ],
)
def test_a_genuine_file_is_as_good_as_its_permit(world, browse, name, colours, word):
    """A revoked permit's true file must not look good at a glance."""
    text = checked(browse(), world.pdf(name))
    found = panels(text)
    assert [colour for colour, _ in found] == colours
    assert found[0][1] == word
    assert f'href="/V/{world[name].code}"' in text
    assert world[name].released_sha in text
    assert "Berkas Anda tidak kami simpan." in text


def test_nothing_is_green_after_the_last_day(world, browse):
    late = NOW.replace(year=NOW.year + 20)
    assert [colour for colour, _ in panels(checked(browse(late), world.pdf("malang")))] == ["grey", "grey"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("make", "verdict", "colour"),
    [
        (lambda pdf, final: pdf, Verdict.IDENTICAL, "green"),
        (lambda pdf, final: pdf + b"%", Verdict.ALTERED, "red"),
        (lambda pdf, final: final, Verdict.UNSIGNED, "grey"),
        (lambda pdf, final: b"Halo", Verdict.UNDETERMINED, "amber"),
    ],
    ids=["identical", "altered", "unsigned", "undetermined"],
)
def test_every_verdict_has_a_sound_page(world, browse, in_process, lang, make, verdict, colour):
    text = checked(browse(), make(world.pdf("malang"), world.pdf("malang", "final")), lang)
    Outline(text)
    assert panels(text)[0][0] == colour
    words = check_page.words("en" if lang else "id")
    head = words["genuine"]["in_force"] if verdict is Verdict.IDENTICAL else words["head"][verdict]
    assert panels(text)[0][1] == head
    assert not re.search(r"\$\w|[{}]|None", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
    assert len(text.encode()) < 30_000


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_strangers_file_shows_nothing_of_ours(world, browse, monkeypatch, lang):
    """Signed by nobody of ours, intact: amber, his own words as his own words, no number, no link to a permit."""

    def strange(pdf, trust, **_more):
        found = inspect(world.pdf("malang"), trust)
        strangers = tuple(
            dataclasses.replace(one, signer_cn="<b>Orang & Lain", certificate_sha256=str(number) * 64, trusted=False)
            for number, one in enumerate(found.signatures)
        )
        return dataclasses.replace(found, signatures=strangers)

    monkeypatch.setattr("service.verification.file.inspect_isolated", strange)
    text = checked(browse(), b"%PDF-1.7 of a stranger", lang)
    assert [colour for colour, _ in panels(text)] == ["amber"]
    assert "&lt;b&gt;Orang &amp; Lain" in text
    assert check_page.words("en" if lang else "id")["stranger"] in text
    assert world["malang"].number not in text
    assert "/V/" not in text.replace('href="/V?', "").replace('href="/V"', "")


def test_an_altered_file_never_shows_our_permit_as_its_own(world, browse, in_process):
    """It says how often it was changed, and leads to the genuine permit; number and holder stand there, not here."""
    text = checked(browse(), CORPUS["isa_page_text"](SimpleNamespace(final=world.pdf("malang"))))
    assert [colour for colour, _ in panels(text)] == ["red"]
    assert world["malang"].number not in text
    assert f'href="/V/{world["malang"].code}"' in text
    assert "diubah 1 kali" in text


def test_without_the_register_it_is_amber(world, browse):
    class Away:
        def read(self):
            raise StoreBusy("away")

    assert [colour for colour, _ in panels(checked(browse(db=Away()), world.pdf("malang")))] == ["amber"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (dict, 415),
        (lambda: {"data": {}, "content_type": "multipart/form-data"}, 400),
        (lambda: sent(b""), 400),
        (lambda: sent(b"%PDF-", "lain"), 400),
        (lambda: {"data": b"x" * (MOST_BYTES + 20_000), "content_type": "multipart/form-data; boundary=x"}, 413),
        (lambda: {"data": b"junk", "content_type": "multipart/form-data; boundary=x"}, 400),
    ],
    ids=["no form", "no field", "empty", "other field", "large", "broken form"],
)
def test_what_is_no_upload_is_told_on_the_form(browse, request_of, status, lang):
    answer = browse().post(f"/periksa{lang}", headers={"Accept": "text/html"}, **request_of())
    text = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert panels(text)[0][0] == "amber"
    assert Outline(text).all("form")[0]["class"] == "upload"


def test_when_too_many_are_checked_it_says_so(world, browse):
    browser = browse()
    browser.application.extensions["checks"] = Checks(1, 0)
    answer = browser.post("/periksa", **sent(world.pdf("malang")))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert panels(answer.get_data(as_text=True)) == [("amber", "Sedang banyak pemeriksaan")]


def test_the_archives_own_bytes_wait_for_nobody(world, browse):
    """All places at the inspector are taken: what is known by its hash is answered all the same."""
    browser = browse()
    checks = browser.application.extensions["checks"] = Checks(1, 4, patience=0.05)
    with checks.turn("somebody"):
        assert panels(checked(browser, world.pdf("malang")))[0][0] == "green"
        assert browser.post("/periksa", **sent(world.pdf("malang") + b"x")).status_code == 503


# The same for programs


@pytest.mark.parametrize("how", ["raw", "file", "berkas"])
def test_json_is_what_the_command_prints(world, browse, how):
    pdf = world.pdf("kudus")
    request = {"data": pdf, "content_type": "application/pdf"} if how == "raw" else sent(pdf, how)
    answer = browse().post("/api/v1/verify", **request)
    told = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (told["verdict"], told["permit_state"], told["number"]) == ("identical", "in_force", world["kudus"].number)
    assert all(one["ours"] and one["certificate"]["issuer"] for one in told["signatures"])


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda pdf: pdf + b"x", "altered"),
        (lambda pdf: pdf[:-2000], "undetermined"),
        (lambda pdf: b"x", "undetermined"),
    ],
)
def test_every_verdict_is_a_good_answer(world, browse, in_process, change, verdict):
    answer = browse().post("/api/v1/verify", data=change(world.pdf("kudus")), content_type="application/pdf")
    assert answer.status_code == 200
    assert answer.get_json()["verdict"] in {verdict, "altered"}


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        (short(b"", 0), 400, "file_missing"),
        ({"data": b"{}", "content_type": "application/json"}, 415, "file_media"),
        ({"data": b"%PDF-"}, 415, "file_media"),
        ({"data": b"x" * (MOST_BYTES + 1), "content_type": "application/pdf"}, 413, "file_too_large"),
        (
            {
                "input_stream": io.BytesIO(b"%PDF-"),
                "content_type": "application/pdf",
                "environ_overrides": {"HTTP_TRANSFER_ENCODING": "chunked"},
            },
            411,
            "length_required",
        ),
        (short(b"%PDF-", 900), 400, "file_incomplete"),
    ],
)
def test_refusals_are_problems(browse, request_of, status, code):
    answer = browse().post("/api/v1/verify", **request_of)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["type"] == f"/problems/{code}"


def test_the_log_holds_nothing_of_a_file(world, browse, in_process, capsys):
    """Neither its name nor its hash, let alone its content."""
    browse().post("/periksa", **sent(world.pdf("malang") + b"x"))
    told = capsys.readouterr()
    lines = [line for line in (told.out + told.err).splitlines() if "file_checked" in line]
    assert len(lines) == 1
    assert "altered" in lines[0]
    assert "1234567890123456" not in told.out + told.err
    assert not re.search(r"[0-9a-f]{64}", lines[0])


@pytest.mark.parametrize("language", ["id", "en"])
def test_words_are_whole(language):
    mine, other = check_page.words(language), check_page.words("en" if language == "id" else "id")
    assert json.dumps(mine, default=str).count('""') == 0
    assert shape(mine) == shape(other)
    assert mine["head"].keys() == mine["text"].keys() == {str(one) for one in check_page._TONE}


def test_every_reason_has_words():
    """A reason without words would be a page that fails."""
    reasons = set(re.findall(r'(?:yield|else|sha256,|reasons=\(|, \() ?\(?"([a-z_]+)"', JUDGING)) | set(
        [*judgement._CAUSES.values(), *judgement._DOUBTS.values()]
    )
    assert len(reasons) > 12
    assert reasons <= check_page.words("id")["of_file"]["reason"].keys()


def shape(words):
    return {key: shape(value) for key, value in words.items()} if isinstance(words, dict) else None
