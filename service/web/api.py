"""The face for machines: upstream systems post approved cases, ask for permits, fetch documents and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from flask import Blueprint, Response

from service import corrections, intake, queries
from service.cases import Sheet, schema
from service.clients import Client, Scope
from service.errors import Fault, Invalid, NotFound, ReasonRequired
from service.web import reading, teken
from service.web.answers import as_json
from service.web.credentials import client
from service.web.problems import language, plain

if TYPE_CHECKING:
    from collections.abc import Mapping


REASON_LENGTH = corrections.REASON_LENGTH
EVENTS_AT_ONCE = 100
MOST_SEQ = 10**15 - 1


_log = structlog.get_logger("teken.web")
api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.post("/cases")
def post_case() -> Response:
    """Step 1 of docs/ISSUANCE.md, from outside."""
    asker = _client(Scope.CASES)
    payload, raw = reading.body()
    reply = intake.accept(teken(), asker, payload, raw, reading.idempotency_key())
    _log.info("case_accepted", permit=reply.body["id"], client=asker.id, replayed=reply.replayed)
    response = as_json(_worded(reply.body), reply.status)
    if reply.location:
        response.headers["Location"] = reply.location
    if reply.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


@api.get("/permits/<permit>")
def get_permit(permit: str) -> Response:
    """Tell a client where its permit stands."""
    return as_json(queries.permit(teken(), _client(Scope.PERMITS), reading.permit_id(permit)))


@api.get("/permits/<permit>/document")
def get_document(permit: str) -> Response:
    """Give a client its issued document."""
    document = queries.document(teken(), _client(Scope.PERMITS), reading.permit_id(permit))
    response = Response(document.pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{document.filename}"'
    response.set_etag(document.sha256)
    return response


@api.post("/permits/<permit>/withdraw")
def withdraw(permit: str) -> Response:
    """Close a case before it is issued."""
    asker = _client(Scope.CASES)
    payload, _ = reading.body()
    return as_json(corrections.withdraw(teken(), asker, reading.permit_id(permit), _reason(payload)))


@api.get("/events")
def get_events() -> Response:
    """Tell a client what happened since."""
    asker = _client(Scope.EVENTS)
    wanted = reading.numbers(after=(0, 0, MOST_SEQ), limit=(EVENTS_AT_ONCE, 1, queries.MOST_EVENTS))
    return as_json(queries.events(teken(), asker, wanted["after"], wanted["limit"]))


@api.get("/offices/<office>/types/<type_>/schema")
def get_schema(office: str, type_: str) -> Response:
    """Give the JSON Schema of a type's cases."""
    try:
        permit_type = teken().offices.permit_type(office, type_)
    except KeyError:
        raise NotFound("type_not_found") from None
    return as_json(schema(permit_type), mimetype="application/schema+json")


def _client(scope: Scope) -> Client:
    """Return who asks, if he may. Raises Unauthenticated, ScopeMissing."""
    asker = client(teken())
    asker.need(scope)
    return asker


def _reason(payload: object) -> str:
    sheet = Sheet()
    given = sheet.mapping("", payload, ("reason",))
    if isinstance(payload, dict) and str(given.get("reason", "")).strip() == "":
        raise ReasonRequired(faults=(*sheet.faults, Fault("/reason", "required")))
    reason = sheet.text("/reason", given["reason"], REASON_LENGTH, lines=True) if given else None
    if sheet.faults or reason is None:
        raise Invalid(faults=tuple(sheet.faults))
    return reason


def _worded(body: Mapping[str, Any]) -> dict[str, Any]:
    """Add to each warning its sentence, in the asker's language."""
    tongue = language()
    warnings = [plain(Fault(said["pointer"], said["code"], said["params"]), tongue) for said in body["warnings"]]
    return {**body, "warnings": warnings}
