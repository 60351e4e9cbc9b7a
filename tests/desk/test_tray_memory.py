"""The passphrase that is typed into the desk, over a real web server: soon afterwards the server's process no longer holds it."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pyotp
import pytest

from service import batch
from service.desk import accounts
from service.settings import PROJECT
from service.store.batch_tables import BatchState
from tests.batch.hunting import in_memory, on_disk
from tests.batch.processes import announced, environment, fill, signing, until, web, with_passphrase
from tests.desk.people import PASSWORD
from tests.support.servers import free_port

OFFICE = "rokan-hilir"
PASSPHRASE = b"Kata-Sandi-Bu-Kadis/73#ungu"


class Browser:
    """Keeps cookies and follows where it is sent."""

    def __init__(self, address: str) -> None:
        self.address, self.page, self.url = address, "", ""
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, **fields: str) -> None:
        body = urlencode({"csrf": self.found('name="csrf" value="([^"]+)"'), **fields}).encode() if fields else None
        with self.opener.open(self.address + path, body) as answer:
            self.page, self.url = answer.read().decode(), answer.geturl()

    def found(self, pattern: str) -> str:
        found = re.search(pattern, self.page)
        return found.group(1) if found else ""

    def answers(self) -> bool:
        try:
            self.open("/meja/masuk")
        except (OSError, urllib.error.URLError):
            return False
        return True


@pytest.mark.slow
def test_the_web_servers_process_does_not_keep_what_was_typed(tmp_path, keys):
    own_keys, home, log = with_passphrase(keys, tmp_path / "keys", PASSPHRASE), tmp_path / "home", tmp_path / "log"
    teken = web(home, own_keys)
    listed = fill(teken, 2)
    account, code = accounts.create(teken, OFFICE, "kadis", official=f"{OFFICE}/kadis")
    listen = f"127.0.0.1:{free_port()}"
    variables = environment(home, own_keys, listen=listen)
    with signing(1, log, variables), serving(listen, variables, log) as server:
        announced(teken, 1)
        head = Browser(f"http://{listen}")
        until(head.answers)
        head.open(f"/meja/undangan/{code}")
        secret = head.found('name="secret" value="([^"]+)"')
        shown = pyotp.TOTP(secret).now()
        head.open(f"/meja/undangan/{code}", password=PASSWORD, secret=secret, code=shown)
        for permit, _ in listed:
            head.open(f"/meja/ttd/baca/{permit}")
        head.open("/meja/ttd")
        head.open("/meja/ttd/periksa", pilihan="dibuka")
        head.open(head.found('action="(/meja/ttd/tandatangani/[^"]+)"'), passphrase=PASSPHRASE.decode())
        opened = head.url.rpartition("/")[2]
        until(lambda: batch.status(teken, opened).state == BatchState.DONE)
        workers = children(server.pid)
        assert workers
        assert in_memory(workers[0], account.id.encode()), "the search finds what is there"
        typed = (PASSPHRASE, quote_plus(PASSPHRASE).encode())

        def gone() -> bool:
            """What is kept stays for ever; what a request still held goes with it."""
            head.open("/meja/ttd")
            return not any(in_memory(pid, form) for pid in workers for form in typed)

        until(gone, 30)
    assert batch.status(teken, opened).counts == {"signed": 2}
    assert on_disk(home, PASSPHRASE) == []
    assert PASSPHRASE not in log.read_bytes()
    teken.close()


class serving:  # noqa: N801 - reads as a verb
    """The web application as it is served: gunicorn with one worker process.

    Python overwrites at once what it frees, so that what is found is what the process keeps: without that, a buffer of gunicorn's
    own shows for as long as nobody needs its place, which depends on all that ran before.
    """

    def __init__(self, listen: str, variables: dict[str, str], log: Path) -> None:
        command = [sys.executable, "-m", "gunicorn", "-b", listen, "-w", "1", "service.app:from_environment()"]
        overwriting = variables | {"PYTHONMALLOC": "debug"}
        with log.open("ab") as out:
            self.process = subprocess.Popen(command, cwd=PROJECT, env=overwriting, stdout=out, stderr=out)

    def __enter__(self) -> subprocess.Popen:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
