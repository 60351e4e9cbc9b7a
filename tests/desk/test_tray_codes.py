"""What the head is asked for fits where he signs; a head with one-time codes asks for one, types it, and asks again."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select

from service import pipeline
from service.app import create_app
from service.clock import SetClock
from service.simulate import play
from service.sop.model import SigningChoice
from service.store.batch_tables import batches, code_requests
from service.store.desk_tables import desk_log
from service.web.desk.words import Words
from tests.backends.conftest import bsre_keys, bsre_office  # noqa: F401 - fixture
from tests.desk.people import Desk, Person
from tests.signing.simulated import NIK

CODES = 'backend = "bsre"\nauthorise = "totp"'


class World:
    """An office whose head signs at the simulator: its desk, and a browser with him in front of it."""

    def __init__(self, office, clock) -> None:
        self.office, self.clock = office, clock
        self.preflight = ""
        self.desk = Desk(office.teken, clock, create_app(office.teken))
        self.head: Person = self.desk.at_work(*office.head.split("/"))
        self.work()

    def work(self) -> None:
        """The signing process does what is due, and a second goes by."""
        self.clock.forward(seconds=1)
        self.office.sign()
        pipeline.advance(self.office.teken, "sign")

    @property
    def codes(self) -> dict[str, str]:
        return self.office.service.app.extensions["play"].codes

    def choose(self, number: int) -> str:
        """A tray of so many papers, all chosen; return the address of the last look."""
        self.office.fill(number)
        self.work()
        self.head.get("/meja/ttd")
        self.head.post("/meja/ttd/periksa", {"pilihan": "semua", "sadar": "ya"})
        assert self.head.status == 303, self.head.text
        self.preflight = self.head.headers["Location"]
        return self.preflight

    @property
    def batch(self) -> str:
        """The address of the newest batch."""
        return f"/meja/ttd/batch/{self.rows(batches)[-1].id}"

    def press(self, action: str, **fields: str) -> str:
        """Send the form of the page at hand whose address looks like this; follow to the next page."""
        address = re.search(rf'action="({action})"', self.head.page)
        assert address, self.head.text
        self.head.post(address.group(1), fields)
        assert self.head.status == 303, self.head.text
        return self.head.get(self.head.headers["Location"])

    def ask(self) -> str:
        """Ask for a code; return the one that the service sent."""
        page = self.press(r"/meja/ttd/[^\"]+/kode")
        assert "Kode sedang diminta" in self.head.text, self.head.text
        assert '<meta http-equiv="refresh" content="2">' in page
        self.work()
        self.clock.forward(seconds=1)
        return self.codes[NIK]

    def rows(self, table) -> list:
        with self.office.teken.db.read() as connection:
            return list(connection.execute(select(table)).all())


@contextmanager
def world(tmp_path, keys, bsre_keys, *quirks, signing=CODES, **host):  # noqa: F811 - the fixture's value
    clock = SetClock(datetime.now(UTC))
    with bsre_office(tmp_path, keys, bsre_keys, *quirks, signing=signing, clock=clock, **host) as office:
        yield World(office, clock)


def test_a_code_is_asked_for_typed_and_signs(tmp_path, keys, bsre_keys):  # noqa: F811 - fixture
    with world(tmp_path, keys, bsre_keys, "totp_once") as at:
        preflight = at.choose(2)
        at.head.get(preflight)
        assert "BSrE mengirim kode sekali pakai langsung kepada Anda" in at.head.text
        assert "Minta kode" in at.head.text
        code = at.ask()
        at.head.get(preflight)
        assert "Kode sudah diminta" in at.head.text
        assert "Minta kode baru" in at.head.text
        assert 'http-equiv="refresh"' not in at.head.page
        at.press(r"/meja/ttd/tandatangani/[0-9a-f]{64}", passphrase=f"{code[:3]} {code[3:]}")
        at.work()
        at.head.get(at.batch)
        assert "Semua sudah ditandatangani" in at.head.text
        assert {one.state for one in at.rows(batches)} == {"done"}
        assert [one.action for one in at.rows(desk_log)].count("tray.code_asked") == 1


def test_a_wrong_code_is_said_once_and_a_new_one_goes_on(tmp_path, keys, bsre_keys):  # noqa: F811 - fixture
    with world(tmp_path, keys, bsre_keys, "totp_once", chunk=1) as at:
        at.head.get(at.choose(2))
        code = at.ask()
        at.head.get(at.preflight)
        at.press(r"/meja/ttd/tandatangani/[0-9a-f]{64}", passphrase="x" + code)
        at.work()
        at.head.get(at.batch)
        assert "Kode sekali pakai ditolak" in at.head.text
        assert "Minta kode baru, lalu isi kembali." in at.head.text
        assert at.office.service.requests("sign/pdf") == 1
        second = at.ask()  # at once: the first one is used
        at.head.get(at.batch)
        assert "Kode sudah diminta" in at.head.text
        at.press(r"/meja/ttd/batch/[^\"]+/lanjutkan", passphrase=second)
        at.work()
        at.head.get(at.batch)
        assert "Kode sudah dipakai untuk sebagian naskah" in at.head.text  # this service takes one document at a time
        assert "Minta kode" in at.head.text
        assert "Kode sudah diminta" not in at.head.text
        assert code not in at.head.page
        assert second not in at.head.page


def test_why_no_code_came_is_said(tmp_path, keys, bsre_keys):  # noqa: F811 - fixture
    with world(tmp_path, keys, bsre_keys, "not_registered") as at:
        at.head.get(at.choose(1))
        at.press(r"/meja/ttd/[^\"]+/kode")
        at.work()
        at.head.get(at.preflight)
        assert "Minta kode baru" in at.head.text
        assert 'role="alert"' in at.head.page


def test_who_may_not_sign_asks_for_no_code(tmp_path, keys, bsre_keys):  # noqa: F811 - fixture
    """Nor for a choice or a batch that is another's."""
    with world(tmp_path, keys, bsre_keys) as at:
        preflight = at.choose(1)
        at.head.get(preflight)
        code = at.ask()
        at.head.get(preflight)
        at.press(r"/meja/ttd/tandatangani/[0-9a-f]{64}", passphrase=code)
        batch = at.rows(batches)[0].id
        clerk = at.desk.at_work("rokan-hilir", duties=("admin",))
        for path, status in ((f"{preflight}/kode", 403), (f"/meja/ttd/batch/{batch}/kode", 403)):
            clerk.post(path)
            assert clerk.status == status
        at.head.post("/meja/ttd/batch/bch_000000000000000000000000/kode")
        assert at.head.status == 404
        at.head.post(f"/meja/ttd/periksa/{'0' * 64}/kode")
        assert at.head.status == 404
        stranger = at.desk.stranger()
        stranger.browser.post(f"{preflight}/kode")
        assert at.office.service.requests("sign/get/totp") == 1


def test_the_code_is_in_no_page_row_or_log(tmp_path, keys, bsre_keys, capfd, monkeypatch):  # noqa: F811 - fixture
    monkeypatch.setattr(play, "CODE_DIGITS", 24)  # six digits lie in many a hash
    with world(tmp_path, keys, bsre_keys) as at:
        at.head.get(at.choose(1))
        code = at.ask()
        at.head.get(at.preflight)
        page = at.press(r"/meja/ttd/tandatangani/[0-9a-f]{64}", passphrase=code)
        at.work()
        told = capfd.readouterr()
        with at.office.teken.db.engine.raw_connection().driver_connection as raw:
            rows = "\n".join(raw.iterdump())
        assert "tray.code_asked" in rows
        for text in (page, told.out, told.err, rows):
            assert code not in text


def test_what_is_asked_for_fits_where_he_signs(tmp_path, keys, bsre_keys):  # noqa: F811 - fixture
    asked = {
        "pkcs12": ("Frasa sandi sertifikat", "Passphrase of your certificate"),
        "pkcs11": ("PIN token", "PIN of your token"),
        "csc": ("PIN layanan tanda tangan", "PIN of the signing service"),
        "bsre": ("Frasa sandi BSrE", "BSrE passphrase"),
    }
    with world(tmp_path, keys, bsre_keys) as at:
        preflight, offices = at.choose(1), at.office.teken.offices.offices
        at.head.get(preflight)
        assert "Kode sekali pakai Dari BSrE untuk Anda sendiri" in at.head.text
        assert 'autocomplete="one-time-code"' in at.head.page
        for backend, (label, english) in asked.items():
            offices["rokan-hilir"] = replace(offices["rokan-hilir"], signing=SigningChoice(backend))
            at.head.get(preflight)
            assert f'<label for="f-passphrase">{label}</label>' in at.head.page
            assert "kode" not in at.head.text.split(label)[0].split("Sertifikat Anda")[-1].lower()
            assert 'type="password"' in at.head.page
            assert Words("en", "Asia/Jakarta")(f"tray.typed_{backend}") == english
            at.head.post(f"{preflight}/kode")
            assert at.head.status == 409
        assert at.rows(code_requests) == []
