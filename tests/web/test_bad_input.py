from __future__ import annotations

import copy
import json

import pytest

from tests.cases.sample import drop, put
from tests.web.bad_input import DROP, JSON, ROWS

SECRETS = ("1407014101970001", "Siti")


def body_of(row, house):
    if row.raw is not None or row.method != "POST":
        return row.raw
    body = copy.deepcopy(house.good(*row.good))
    if row.at and row.value is DROP:
        drop(body, row.at)
    elif row.at:
        put(body, row.at, row.value)
    return json.dumps(body).encode()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bad_input_is_refused_and_leaves_nothing_behind(row, shared_house):
    before = shared_house.rows()
    headers = {"Content-Type": JSON} | row.headers
    answer = shared_house.ask(row.method, row.path, office=row.key_of, headers=headers, data=body_of(row, shared_house))
    said = answer.get_json()
    assert (answer.status_code, said["type"]) == (row.status, f"/problems/{row.code}"), said
    assert answer.mimetype == "application/problem+json"
    assert said["status"] == row.status
    assert said["request_id"] == answer.headers["Request-Id"]
    if row.pointer is not None:
        assert (row.pointer, row.fault) in {(fault["pointer"], fault["code"]) for fault in said["errors"]}
    assert not any(secret in answer.get_data(as_text=True) for secret in SECRETS)
    assert shared_house.rows() == before


def test_the_table_is_worth_its_name():
    assert len(ROWS) >= 60
    assert len({row.name for row in ROWS}) == len(ROWS)
