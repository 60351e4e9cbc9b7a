"""What must not be in the repository, in a log or in an event: private keys, and anything of a person."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import closing

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from service import acts, pipeline
from service.errors import TekenError
from service.identifiers import parse_nik
from service.permits import State
from service.settings import PROJECT
from service.store.tables import events, metadata, permits, register
from tests.support.office import TYPES, client_of, open_office, payload, play, post, row, work

PRIVATE = ("PRIVATE KEY-----", "openssh-key-v1")
NIK_LIKE = re.compile(r"(?<![\dA-Fa-f])\d{16}(?![\dA-Fa-f])")
KEY_FILES = re.compile(r"\.(p12|pfx|key|pem|der|jks|kdbx)$")
INVENTED = ("tests/", "templates/", "benchmarks/")  # samples of people who do not exist


def tracked() -> dict[str, str]:
    """Every tracked text file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in listed.split("\0"):
        path = PROJECT / name
        if name and path.is_file():
            data = path.read_bytes()
            if b"\0" not in data:
                texts[name] = data.decode(errors="replace")
    return texts


@pytest.fixture(scope="module")
def texts():
    if not (PROJECT / ".git").exists():
        pytest.skip("not a checkout")
    return tracked()


def test_no_private_key_is_tracked(texts):
    here = "tests/project/test_secrets.py"
    assert [name for name, text in texts.items() if name != here and any(mark in text for mark in PRIVATE)] == []
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in listed if KEY_FILES.search(name)] == []
    assert [name for name in listed if name.startswith(("var/", "certs/dev/"))] == []


def is_nik(digits: str) -> bool:
    try:
        return bool(parse_nik(digits))
    except ValueError:
        return False


def test_nothing_like_a_nik_is_tracked_outside_the_samples(texts):
    found = {}
    samples = {one for name, text in texts.items() if name.startswith("templates/") for one in NIK_LIKE.findall(text)}
    for name, text in texts.items():
        numbers = {one for one in NIK_LIKE.findall(text) if is_nik(one)} - samples
        if numbers and not name.startswith(INVENTED):
            found[name] = numbers
    assert found == {}


def personal(body: dict) -> set[str]:
    """What of a posted case tells something of the holder."""
    own = {key: value for key, value in body["applicant"].items() if key != "tempat_lahir"}  # a town's name is nobody's
    values = {str(value) for value in own.values()} | {str(body["str"]["nomor"])}
    values.add(body["applicant"]["nama"].split(",")[0])  # without titles
    return {value for value in values if len(value) > 3}


def test_a_full_run_says_nothing_personal_in_logs_events_register_or_permits(tmp_path, keys, monkeypatch, capfd):
    """All five procedures, with a return, a fault that quotes the case, a refusal of each kind, and a decision."""
    values = set()
    with capture_logs() as logs, closing(open_office(tmp_path, keys)) as teken:
        for office, kind in TYPES:
            client, body = client_of(teken, office), payload(office, kind)
            values |= personal(body)
            permit = post(teken, client, body).body["id"]
            _fault_that_quotes(teken, body, monkeypatch)
            work(teken)
            _refusals(teken, client, permit, body)
            play(teken, permit)
            assert row(teken, permit).state == State.IN_FORCE
            head = json.loads(row(teken, permit).signatory)["official"]
            reason = f"Laporan tentang {body['applicant']['nama']}"
            acts.decide(teken, head, permit, to=State.SUSPENDED, decision="SK 1/2026", reason=reason)
        with teken.db.read() as connection:
            stored = {
                table.name: [dict(one._mapping) for one in connection.execute(select(table))]
                for table in (events, register, permits, metadata.tables["acts"], metadata.tables["prints"])
            }
    assert len(values) > 25
    assert [one["error"] for one in logs if one["event"] == "step_failed"] == [
        "ValueError"
    ] * 4  # Malang's waits for a person
    said = {
        "logs": str(logs),
        "output": "".join(capfd.readouterr()),
        **{name: str(rows) for name, rows in stored.items()},
    }
    assert {where: value for where, text in said.items() for value in values if value in text} == {}


def _refusals(teken, client, permit, body) -> None:
    """Requests and acts that are refused name places and codes, never what was sent."""
    for attempt in (
        lambda: post(teken, client, body | {"applicant": body["applicant"] | {"nik": body["applicant"]["nama"]}}),
        lambda: post(teken, client, body | {"upstream_id": "UJI-LAIN", "request_kind": body["applicant"]["nama"]}),
        lambda: post(teken, client, body | {"practice": body["practice"] | {"nama": body["applicant"]["nama"]}}),
        lambda: acts.give_back(teken, f"{client.office}/{body['applicant']['nama']}", permit, reason="x"),
        lambda: acts.hand_over(
            teken, "x/y", permit, identity=body["applicant"]["nik"], ticket=body["applicant"]["nik"]
        ),
    ):
        with pytest.raises(TekenError) as refusal:
            attempt()
        told = f"{refusal.value} {refusal.value.params} {refusal.value.faults}"
        assert [value for value in personal(body) if value in told] == []


def _fault_that_quotes(teken, body, monkeypatch) -> None:
    """A library's exception holds the case's text: the log says its type alone."""
    from service.steps import STEPS

    def refuse(teken_, work_):
        raise ValueError(body["applicant"]["nama"], body["applicant"]["nik"])

    with monkeypatch.context() as patch:
        for step in STEPS:
            patch.setitem(STEPS, step, refuse)
        pipeline.advance(teken, "work")
