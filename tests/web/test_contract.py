"""The running service against its own contract: no undocumented status, content type, header or shape.

gunicorn serves the real application; schemathesis asks as it likes. Its pytest plugin does not run on pytest 9.2
(it sets a private attribute of test items), so its own command does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import jsonschema_rs
import pytest

from service.settings import PROJECT
from service.web.openapi import openapi
from tests.support.servers import free_port
from tests.web.conftest import OFFICE, open_house

# Of good shape is not yet a good case (dates, rows in time order, an STR in force): 422 is an expected answer to it.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
"""
FEW, MANY = 6, 150
SEED = "20261123"
"""The same questions every time: a finding replays, and what passes today fails tomorrow for a reason of ours."""


@contextmanager
def served(home: Path):
    url = f"http://127.0.0.1:{free_port()}"
    environment = {**os.environ, "TEKEN_HOME": str(home)}
    command = ["-m", "gunicorn", "--config", "python:service.webserver", "--bind", url.removeprefix("http://")]
    arguments = [sys.executable, *command, "--log-level", "error", "service.app:from_environment()"]
    server = subprocess.Popen(arguments, cwd=PROJECT, env=environment)
    try:
        wait_for(f"{url}/healthz")
        yield url
    finally:
        server.terminate()
        server.wait(60)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)
        else:
            return


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asker", "examples"),
    [
        ("client", FEW),
        ("anybody", FEW // 2),
        pytest.param("client", MANY, marks=[pytest.mark.thorough, pytest.mark.timeout(1800)]),
        pytest.param("anybody", MANY, marks=[pytest.mark.thorough, pytest.mark.timeout(1800)]),
    ],
)
def test_the_service_keeps_its_contract(tmp_path, asker, examples):
    house = open_house(tmp_path / "home")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    program = Path(sys.executable).with_name("schemathesis")
    shown = ["--header", f"Authorization: Bearer {house.keys[OFFICE]}"] if asker == "client" else []
    with served(tmp_path / "home") as url:
        command = [program, "--config-file", tmp_path / "schemathesis.toml", "run", f"{url}/api/openapi.json"]
        options = ["--max-examples", str(examples), "--seed", SEED, "--continue-on-failure"]
        # The last ones watch how fast examples are made, which a busy machine decides, not the service.
        options += ["--generation-database", "none", "--suppress-health-check", "all"]
        options += ["--request-timeout", "60"]
        run = subprocess.run(
            [*command, *options, *shown], capture_output=True, text=True, timeout=1700, cwd=tmp_path, check=False
        )
    house.teken.close()
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]


@pytest.mark.parametrize(
    ("query", "headers", "status"), [("?" + "a" * 9000, {}, 414), ("", {"X-Long": "a" * 9000}, 431)]
)
def test_what_the_server_itself_refuses_is_in_the_contract(tmp_path, query, headers, status):
    house = open_house(tmp_path / "home")
    with served(tmp_path / "home") as url, pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/events{query}", headers=headers), timeout=60)
    house.teken.close()
    assert refused.value.code == status
    refused.value.close()
    for path in openapi(tuple(house.teken.offices))["paths"].values():
        assert all(str(status) in path[one]["responses"] for one in path.keys() & {"get", "post"})


def test_every_case_schema_in_the_contract_is_one(shared_house):
    document = openapi(tuple(shared_house.teken.offices))
    for name, schema in document["components"]["schemas"].items():
        if name.startswith("Case."):
            jsonschema_rs.meta.validate(schema)
    examples = document["paths"]["/api/v1/cases"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for name, example in examples.items():
        jsonschema_rs.validate(document["components"]["schemas"][name], example["value"])
