"""Answers to a type's questions, as a clerk would type them, and the form that carries them."""

from __future__ import annotations

import io
import re

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from service.cases import parse_case
from service.demo import portrait
from service.desk import questions
from service.web.desk.entry import KEPT
from tests.support.office import NOW, OFFICES, payload


def answers(office: str, kind: str, **changes: str) -> dict[str, str]:
    """Invented, complete answers; `changes` replace some (with __ for a dot), an empty one takes it away."""
    permit_type = OFFICES.permit_type(office, kind)
    case = parse_case(payload(office, kind), permit_type, today=NOW.date(), now=NOW).case.as_dict()
    del case["upstream_id"]
    found = questions.answers_of(permit_type, OFFICES.office(office).calendar.timezone, case)
    for name, text in changes.items():
        found[name.replace("__", ".")] = text
    return {name: text for name, text in found.items() if text}


def hidden(person) -> dict[str, str]:
    """The hidden fields of the form on the page."""
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', person.page))
    return {name: found[name] for name in ("jenis", "upstream_id", KEPT)}


def submit(person, given: dict[str, str], *, picture: bytes | None = None, fresh: bool = True) -> str:
    """Open the form, or use the one that is open; send it with a photo, as a browser does."""
    if fresh:
        person.get("/meja/permohonan/baru")
        assert person.status == 200, person.text
    body: dict = {**hidden(person), **given}
    photo = portrait() if picture is None else picture
    if photo:
        body["photo"] = FileStorage(io.BytesIO(photo), "pas foto.jpg")
    return upload(person, "/meja/permohonan/baru", body)


def upload(person, path: str, body: dict) -> str:
    """Post a multipart form; encoded here, since the test client leaves its temporary file of a large one open."""
    boundary, encoded = encode_multipart({"csrf": person.csrf, **body})
    kind = f'multipart/form-data; boundary="{boundary}"'
    return person._kept(person.browser.post(path, data=encoded, content_type=kind))
