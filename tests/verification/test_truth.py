"""What the page says is true in every state, for every policy of an office; and nothing private is ever in it."""

from __future__ import annotations

import dataclasses
import html
import itertools
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from service.demo import case_of
from service.verification import PermitState, by_code
from service.verification.answers import TimeStamp, Version
from service.verification.certificate import told
from service.web import verify_page
from service.web.verify_words import Tongue
from tests.support.office import NOW
from tests.support.office import OFFICES as CATALOGUE
from tests.verification.standing import OFFICES, PRIVATE
from tests.verification.test_codes import on

LANGUAGES = ("id", "en")
MOMENTS = {
    "not_yet": on(2026, 11, 19),
    "in_force": NOW,
    "expiring": on(2031, 11, 9),
    "expired": on(2032, 1, 1),
}
NEVER = ("nik", "str", "applicant", "tanggal_lahir", "tempat_lahir", "photo", "foto", "alamat_rumah", "nip")


def secrets(name: str) -> set[str]:
    """What the case of this permit holds and nobody outside may learn, as stored and as people write days."""
    office = name if name in OFFICES else "malang"
    case = case_of(CATALOGUE.permit_type(office, OFFICES[office]), f"UJI-{name}", NOW)
    for path, value in PRIVATE.items():
        group, _, leaf = path.partition("__")
        case[group][leaf] = value
    held = [case["applicant"], case["str"], *case.get("recommendations", {}).values()]
    values = {str(value) for group in held for key, value in group.items() if key not in {"nama", "jenis_kelamin"}}
    months = Tongue("id", "Asia/Jakarta").words["time"]["months"]
    days = [re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", value) for value in values]
    written = {f"{int(day[3])} {months[int(day[2]) - 1]} {day[1]}" for day in days if day}
    return {value for value in values | written if len(value) > 3}


@pytest.mark.parametrize("policy", ["full", "masked"])
def test_nothing_private_in_any_state_under_any_policy(world, browse, policy):
    offices = {code: dataclasses.replace(one, holder_name=policy) for code, one in world.teken.offices.offices.items()}
    catalogue = dataclasses.replace(world.teken.offices, offices=offices)
    met = set()
    for at, (name, permit) in itertools.product(MOMENTS.values(), list(world.permits.items())):
        code, hidden = world[name].code, secrets(name) | {permit, world[name].upstream_id, world[name].client}
        here = browse(at, offices=catalogue)
        for path in ("/V/{}", "/V/{}?lang=en", "/api/v1/verify/{}"):
            answer = here.get(path.format(code))
            text = html.unescape(answer.get_data(as_text=True))
            found = [one for one in hidden if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text)]
            assert found == [], (name, path)
            assert "rahasia" not in text.lower()
            assert not re.search(r"(?<![0-9a-fA-F])\d{16}(?![0-9a-fA-F])", text), "sixteen digits look like a NIK"
        answer = here.get(f"/api/v1/verify/{code}").json
        met.add(answer["state"])
        keys = set(re.findall(r'"(\w+)":', json.dumps(answer)))
        assert not keys & set(NEVER)
        if answer["permit"]:
            assert ("***" in answer["permit"]["holder"]) == (policy == "masked")
    assert met == set(PermitState) - {"unknown", "undetermined"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_only_what_is_in_force_is_said_to_be(world, lang):
    """Green, the tick and "in force" belong to two states; every other sentence says that nobody may practise on it."""
    for name, at in itertools.product(["malang", "suspended", "revoked", "old"], MOMENTS.values()):
        answer = by_code(world.teken, world[name].code, at=at)
        panel = verify_page.panel(answer, Tongue(lang, "Asia/Jakarta"))
        holds = answer.state in {PermitState.IN_FORCE, PermitState.EXPIRING}
        assert (panel["tone"] == "good") == holds, (name, at)
        assert (panel["icon"] == "tick") == (answer.state == PermitState.IN_FORCE)
        refuses = "bel|tidak" if lang == "id" else r"not|no longer"
        assert bool(re.search(refuses, panel["text"])) == (not holds), panel


def _panel(world, name, at, lang="id", **changes):
    answer = by_code(world.teken, world[name].code, at=at)
    changed = dataclasses.replace(answer, permit=dataclasses.replace(answer.permit, **changes))
    return verify_page.panel(changed, Tongue(lang, "Asia/Jakarta"))["text"]


def test_a_suspended_permit_that_ended_says_both(world):
    last = on(2031, 11, 20, hours=23)
    assert "habis" not in _panel(world, "suspended", last)
    assert "masa berlakunya habis pada 20 November 2031" in _panel(world, "suspended", last + timedelta(hours=1))


def test_why_there_is_another_permit_is_said_and_no_more(world):
    assert "pindah tempat praktik" in _panel(world, "revoked", NOW, became="moved")
    assert "pindah" not in _panel(world, "revoked", NOW)
    assert "keliru" in _panel(world, "old", NOW, became="corrected")
    assert "keliru" not in _panel(world, "old", NOW)
    assert "corrected" in _panel(world, "old", NOW, "en", became="corrected")


@pytest.mark.parametrize(("days", "word"), [(2, "2 days"), (1, "tomorrow"), (0, "today")])
def test_english_counts_days_as_english_does(world, days, word):
    at = on(2031, 11, 20) - timedelta(days=days)
    panel = verify_page.panel(by_code(world.teken, world["malang"].code, at=at), Tongue("en", "Asia/Jakarta"))
    assert word in panel["word"]
    assert "1 days" not in panel["word"]


def test_an_acting_head_is_named_as_what_he_is(world, browse):
    """Plt. in the official's title, on the page and in JSON: his mandate, not the office's head."""
    code = world["kudus"].code
    assert "<span>Plt. Kepala Dinas</span>" in browse().get(f"/V/{code}").text
    assert browse().get(f"/api/v1/verify/{code}").json["permit"]["official"]["title"] == "Plt. Kepala Dinas"


def _certificate(subject: list[tuple[x509.ObjectIdentifier, str]], issuer: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(which, value) for which, value in subject]),
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2028, 1, 1, tzinfo=UTC),
    )
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Sri Contoh, S.H.", "Sri Contoh, S.H."),
        ("Sri Contoh 3507012304800001", "Sri Contoh"),
        ("3507012304800001 - Sri Contoh", "Sri Contoh"),
        ("Sri Contoh (NIP 19800423 200501 2 001)", "Sri Contoh"),
        ("BSrE CA G2 2024", "BSrE CA G2 2024"),
    ],
)
def test_a_certificate_is_told_without_a_number_of_a_person(written, shown):
    private = [
        (NameOID.COMMON_NAME, written),
        (NameOID.SERIAL_NUMBER, "3507012304800001"),
        (NameOID.EMAIL_ADDRESS, "sri@rumah.example"),
        (NameOID.LOCALITY_NAME, "Jalan Rumah"),
        (NameOID.ORGANIZATION_NAME, "Pemerintah Contoh"),
    ]
    found = told(_certificate(private, written))
    assert (found.subject, found.organization, found.issuer) == (shown, "Pemerintah Contoh", shown)
    assert not found.is_example
    assert not re.search(r"3507|rumah|Rumah", repr(found))


def test_all_that_proves_a_version_is_unfolded(world, browse, monkeypatch):
    """Whose certificate, whose time-stamp, which file: as it was recorded, in both languages."""
    code, early = world["rokan-hilir"].code, datetime(2026, 11, 20, 2, 0, 4, tzinfo=UTC)
    stamps = TimeStamp("signature", "TSA Contoh", early), TimeStamp("document", "TSA Arsip", early + timedelta(days=1))
    answer = by_code(world.teken, code, at=NOW)
    [first] = answer.permit.versions
    raised = tuple(dataclasses.replace(one, level="B-LTA", stamps=stamps) for one in first.signatures)
    second = Version(2, "2" * 64, early + timedelta(days=1), raised)
    permit = dataclasses.replace(answer.permit, versions=(first, second))
    monkeypatch.setattr("service.web.verify.by_code", lambda *_, **__: dataclasses.replace(answer, permit=permit))
    said = {lang: browse().get(f"/V/{code}?lang={lang}").text for lang in LANGUAGES}
    told_json = browse().get(f"/api/v1/verify/{code}").json["permit"]["documents"][1]["signatures"][0]
    for text in ("Cap waktu dari TSA Contoh: 20 November 2026 pukul 09.00 WIB", "Cap waktu arsip dari TSA Arsip: 21"):
        assert text in said["id"]
    assert "Tingkat PAdES B-LTA: dengan bukti untuk jangka panjang" in said["id"]
    assert "Archive time-stamp by TSA Arsip: 21 November 2026, 09:00 WIB" in said["en"]
    assert "Sertifikat pengembangan, hanya untuk contoh" in said["id"]
    assert told_json["certificate"]["sha256"] in said["id"]
    assert told_json["certificate"]["is_example"]
    assert [one["by"] for one in told_json["timestamps"]] == ["TSA Contoh", "TSA Arsip"]
    assert [one in said["id"] for one in (first.sha256, second.sha256)] == [True, True]
    assert "Bukti waktunya ditambah 21 November 2026" in said["id"]
    assert said["id"].count("Diterbitkan 20 November 2026") == 1
