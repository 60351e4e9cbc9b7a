"""Web and worker as one user of the machine, signing as another: the first does its work and can read nothing that signs. Needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from service.settings import PROJECT

WEB, SIGN = 61001, 61002  # no account needs to have these
WORK = """
import sys
from pathlib import Path
from tests.support.office import client_of, open_office, payload, post, row
from service import pipeline

teken = open_office(Path(sys.argv[1]), Path(sys.argv[2]), signing=False)
permit = post(teken, client_of(teken, "rokan-hilir"), payload("rokan-hilir", "sip-perekam-medis")).body["id"]
pipeline.drain(teken, "work")
print(row(teken, permit).state)
teken.close()
"""
OPEN = """
import sys
from pathlib import Path
from tests.support.office import open_office

open_office(Path(sys.argv[1]), Path(sys.argv[2]), signing=False).close()
print("opened")
"""
READ = """
import sys
for name in sys.argv[1:]:
    try:
        open(name, "rb").read()
    except PermissionError:
        continue
    print(name)
"""


def run_as(user: int, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    whom = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    command = [*whom, sys.executable, "-B", "-c", script, *map(str, arguments)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEKEN_")}
    environment = clean | {"PYTHONPATH": str(PROJECT), "HOME": "/nonexistent"}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def machine(keys):
    """A home of the web's user; keys of the signing user; nobody's secrets open to the other."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it becomes two other users")
    if shutil.which("setpriv") is None or run_as(WEB, "import service.wiring").returncode != 0:
        pytest.skip("another user of this machine can't run this Python")
    folder = Path(tempfile.mkdtemp(prefix="teken-users-", dir="/tmp"))
    folder.chmod(0o755)
    for name, user in (("web", WEB), ("sign", SIGN)):
        (folder / name).mkdir(mode=0o700)
        os.chown(folder / name, user, user)
    shutil.copytree(keys, folder / "sign" / "keys")
    for path in (folder / "sign" / "keys", *(folder / "sign" / "keys").iterdir()):
        os.chown(path, SIGN, SIGN)
    (folder / "public").mkdir(mode=0o755)
    for path in [*keys.glob("*.cert.pem"), keys / "root.pem", keys / "issuing.pem"]:
        (folder / "public" / path.name).write_bytes(path.read_bytes())
        (folder / "public" / path.name).chmod(0o644)
    yield folder
    shutil.rmtree(folder)


def test_web_and_worker_do_their_work_without_the_signing_users_keys(machine):
    done = run_as(WEB, WORK, machine / "web", machine / "public")
    assert done.stdout.split()[-1:] == ["numbered"], done.stderr[-3000:]
    secrets = [machine / "web" / name for name in ("data.keys", "checkpoint.key", "web-identity.key")]
    assert [path.name for path in secrets if path.stat().st_mode & 0o077] == []
    assert {path.stat().st_uid for path in secrets} == {WEB}
    assert run_as(SIGN, READ, *secrets, machine / "web" / "teken.db").stdout == ""


def test_the_webs_user_reads_nothing_that_signs(machine):
    private = [
        path for path in (machine / "sign" / "keys").iterdir() if path.suffix == ".p12" or path.name == "passphrase"
    ]
    assert len(private) > 5
    assert run_as(WEB, READ, *private).stdout == ""
    assert len(run_as(SIGN, READ, *private).stdout.split()) == len(private)


def test_a_folder_of_keys_that_it_may_not_enter_stops_no_web_process(machine):
    done = run_as(WEB, OPEN, machine / "web" / "other", machine / "sign" / "keys")
    assert done.stdout.split()[-1:] == ["opened"], done.stderr[-3000:]
