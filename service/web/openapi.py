"""The API's contract as OpenAPI 3.1: written here, compared with the running service in the tests."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

from service.cases import example, schema
from service.corrections import REASON_LENGTH
from service.permits import State
from service.queries import MOST_EVENTS
from service.web import check_openapi, problems, qr_openapi, webhooks_openapi
from service.web.verify_openapi import OPENAPI_PATHS

if TYPE_CHECKING:
    from service.sop.model import PermitType

Json = dict[str, Any]
VERSION = "1.0.0"
REFUSALS = {
    400: "The request cannot be read",
    401: "No key, or not one of ours",
    403: "The key belongs to another office, or to a client without this scope",
    404: "Unknown, or not yours",
    405: "The address does not take this method",
    409: "In conflict with what is stored",
    411: "Content-Length is missing",
    413: "The body is over 4 MB",
    415: "The body is not JSON",
    422: "Readable, but not acceptable: every place is named",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "Nothing was stored: ask again after Retry-After",
}
_READ = (400, 401, 403, 404, 405, 413, 429, 500, 503)
_WRITE = (400, 401, 403, 404, 405, 409, 411, 413, 415, 422, 429, 500, 503)
_OPEN = (404, 405, 429, 500, 503)
_SERVER = {414: "The address is too long", 431: "The headers are too long"}
"""Answered by the web server before Teken is asked: a page of its own, no problem document."""
_KEY: list[Json] = [{"key": []}, {"signature": []}]
_SIGNING = (
    "TEKEN-HMAC-SHA256 Key=<prefix>, Timestamp=<seconds since 1970>, Nonce=<16 to 64 of A-Z a-z 0-9 _ ->, Signature=<hex>. "
    "The signature is HMAC-SHA256 over these lines joined by a line feed: TEKEN-HMAC-SHA256, method, path and query as sent, "
    "timestamp, nonce, hex SHA-256 of the body. Its key is HMAC-SHA256 of 'teken/request-signing/v1' under the key's secret half. "
    "A request counts once, within five minutes."
)


@cache
def openapi(types: tuple[PermitType, ...]) -> Json:
    """Return the document for these permit types."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Teken",
            "version": VERSION,
            "description": (
                "Post an approved case once; fetch the numbered, e-signed permit. Errors are RFC 9457 problems, in "
                "Indonesian unless Accept-Language prefers English."
            ),
        },
        "servers": [{"url": "/"}],
        "paths": _with_the_servers_own(_paths(types)),
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "prefix.secret, from the office"},
                "signature": {"type": "apiKey", "in": "header", "name": "Authorization", "description": _SIGNING},
            },
            "schemas": _schemas(types),
            "headers": _headers(),
        },
    }


def _paths(types: tuple[PermitType, ...]) -> Json:
    return {
        "/api/v1/cases": {"post": _post_case(types)},
        "/api/v1/permits/{permit}": {
            "parameters": [_permit_id()],
            "get": _operation("getPermit", "Where a permit stands", {200: _ok("Permit")}, _READ),
        },
        "/api/v1/permits/{permit}/document": {
            "parameters": [_permit_id()],
            "get": _operation(
                "getDocument", "The issued document, always the same bytes", {200: _pdf()}, (*_READ, 409)
            ),
        },
        "/api/v1/permits/{permit}/withdraw": {
            "parameters": [_permit_id()],
            "post": _operation(
                "withdraw", "Close a case before it is issued; its number is voided", {200: _ok("Withdrawn")}, _WRITE
            )
            | {"requestBody": _body(_ref("Withdrawal"))},
        },
        "/api/v1/events": {
            "get": _operation("getEvents", "What happened since, oldest first", {200: _ok("Events")}, _READ)
            | {"parameters": [_number("after", 0, 10**15 - 1, 0), _number("limit", 1, MOST_EVENTS, 100)]},
        },
        "/api/v1/offices/{office}/types/{type}/schema": {
            "parameters": [
                _in_path("office", types[0].office if types else ""),
                _in_path("type", types[0].code if types else ""),
            ],
            "get": _operation("getSchema", "The JSON Schema of a type's cases", {200: _schema_answer()}, _OPEN)
            | {"security": []},
        },
        **_webhooks(),
        **_verification(),
        "/api/v1/verify": {"post": _check_file()},
        "/healthz": {
            "get": _operation("healthz", "The process answers", {200: _ok("Health")}, (405, 500)) | {"security": []}
        },
        "/readyz": {
            "get": _operation("readyz", "Database and archive answer", {200: _ok("Ready")}, (405, 500, 503))
            | {"security": []}
        },
    }


_NOTHING: Json = {"description": "Done", "headers": {"Request-Id": {"$ref": "#/components/headers/Request-Id"}}}


def _webhooks() -> Json:
    paths: Json = {}
    for one in webhooks_openapi.OPERATIONS:
        path = paths.setdefault(one.path, {})
        if "{webhook}" in one.path:
            path["parameters"] = [_in_path("webhook", "whk_0123456789abcdef")]
        if "{act}" in one.path:
            act = _in_path("act", webhooks_openapi.ACTS[0]) | {"schema": {"enum": [*webhooks_openapi.ACTS]}}
            path["parameters"].append(act)
        refused = _READ if one.method == "get" else _WRITE
        path[one.method] = _operation(
            one.name, one.summary, {one.status: _ok(one.answer) if one.answer else _NOTHING}, refused
        )
        if one.body:
            path[one.method]["requestBody"] = _body(_ref(one.body))
        if one.limit:
            path[one.method]["parameters"] = [_number("limit", 1, webhooks_openapi.MOST_TRIES, 50)]
    return paths


def _with_the_servers_own(paths: Json) -> Json:
    own = {str(status): {"description": description} for status, description in _SERVER.items()}
    for path in paths.values():
        for operation in path.keys() & {"get", "post", "delete"}:
            path[operation]["responses"] = dict(sorted({**path[operation]["responses"], **own}.items()))
    return paths


def _verification() -> Json:
    """The public's twin of /V/<code>, keys and lists of its QR; their refusals are problems like everywhere else."""
    paths = deepcopy(OPENAPI_PATHS | qr_openapi.OPENAPI_PATHS)
    for path in paths.values():
        answers = path["get"]["responses"]
        for status in _OPEN:
            problem = _problem(status)
            known = answers.setdefault(str(status), problem)
            if known is not problem:
                known["content"] = known["content"] | problem["content"]
    return paths


def _check_file() -> Json:
    """The public's check of a file; its refusals are worded for it."""
    operation = _operation(
        "verifyFile",
        "Whether a file is authentic, and apart from it what its permit is worth; no key needed",
        {200: check_openapi.ANSWERED},
        (400, 405, 411, 413, 415, 429, 500, 503),
    )
    for status, description in check_openapi.REFUSED.items():
        operation["responses"][str(status)]["description"] = description
    return operation | {"security": [], "requestBody": check_openapi.BODY}


def _post_case(types: tuple[PermitType, ...]) -> Json:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Same key and body: the stored answer. Without it, upstream_id keeps the case single.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }
    accepted = _ok("Accepted") | {
        "description": "Stored; issued in due course. The same case again answers the same",
        "headers": {"Location": {"$ref": "#/components/headers/Location"}, "Idempotency-Replayed": _replayed()},
    }
    case: Json = {"anyOf": [_ref(_case_name(one)) for one in types]} if types else {"type": "object"}
    operation = _operation("postCase", "Hand in an approved case", {202: accepted}, _WRITE)
    return operation | {
        "parameters": [key],
        "requestBody": _body(case, {_case_name(one): {"value": example(one)} for one in types}),
    }


def _operation(name: str, summary: str, good: Json | dict[int, Json], bad: tuple[int, ...]) -> Json:
    answers = {str(status): answer for status, answer in good.items()}
    answers |= {str(status): _problem(status) for status in bad}
    return {"operationId": name, "summary": summary, "security": _KEY, "responses": dict(sorted(answers.items()))}


def _problem(status: int) -> Json:
    headers = {"Request-Id": {"$ref": "#/components/headers/Request-Id"}}
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": REFUSALS[status],
        "headers": headers,
        "content": {problems.MEDIA_TYPE: {"schema": _ref("Problem")}},
    }


def _ok(name: str) -> Json:
    return {
        "description": "Done",
        "headers": {"Request-Id": {"$ref": "#/components/headers/Request-Id"}},
        "content": {"application/json": {"schema": _ref(name)}},
    }


def _pdf() -> Json:
    return {
        "description": "The PDF",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }


def _schema_answer() -> Json:
    return {
        "description": "JSON Schema 2020-12",
        "content": {"application/schema+json": {"schema": {"type": "object"}}},
    }


def _body(shape: Json, examples: Json | None = None) -> Json:
    content: Json = {"schema": shape} | ({"examples": examples} if examples else {})
    return {"required": True, "content": {"application/json": content}}


def _permit_id() -> Json:
    return _in_path("permit", "izn_0123456789abcdef0123")


def _in_path(name: str, sample: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "example": sample,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    }


def _number(name: str, least: int, most: int, default: int) -> Json:
    shape = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "schema": shape}


def _replayed() -> Json:
    return {"description": "This is the stored answer to an earlier request", "schema": {"const": "true"}}


def _headers() -> Json:
    return {
        "Location": {"description": "Address of the permit", "schema": {"type": "string"}},
        "Request-Id": {"description": "Quote it when you ask us", "required": True, "schema": {"type": "string"}},
        "Retry-After": {"description": "Seconds", "required": True, "schema": {"type": "string"}},
    }


def _schemas(types: tuple[PermitType, ...]) -> Json:
    cases = {_case_name(one): {key: part for key, part in schema(one).items() if key != "$schema"} for one in types}
    return cases | _answers() | webhooks_openapi.schemas(_strict)


def _answers() -> Json:
    text: Json = {"type": "string"}
    maybe: Json = {"type": ["string", "null"]}
    day: Json = {"type": ["string", "null"], "format": "date"}
    state: Json = {"enum": [str(state) for state in State]}
    fault = _strict(pointer=text | {"description": "RFC 6901"}, code=text, detail=text)
    due = _strict(row={"type": ["integer", "null"]}, verb=text, role=maybe)
    event = _strict(
        id=text, seq={"type": "integer"}, type=text, at=text, permit=maybe, data={"type": "object"}, checkpoint=maybe
    )
    checks = {"type": "object", "additionalProperties": {"type": ["boolean", "string"]}}
    problem = _strict(type=text, title=text, status={"type": "integer"}, detail=text, request_id=text)
    problem["properties"] |= {"errors": {"type": "array", "items": _ref("Fault")}, "checks": checks}
    return {
        "Problem": problem,
        "Fault": fault,
        "Accepted": _strict(
            id=text,
            url=text,
            state=state,
            upstream_id=text,
            revision={"type": "integer"},
            warnings={"type": "array", "items": _ref("Fault")},
        ),
        "Permit": _strict(
            id=text,
            office=text,
            type=text,
            upstream_id=text,
            request_kind=text,
            replaces=maybe,
            state=state,
            revision={"type": "integer"},
            due={"anyOf": [due, {"type": "null"}]},
            fault=maybe,
            number=maybe,
            set_on=day,
            valid_from=day,
            valid_to=day,
            verify_url=maybe,
            document=maybe,
            sha256=maybe,
            ticket=maybe,
            created_at=text,
            updated_at=text,
        ),
        "Withdrawal": _strict(reason={"type": "string", "minLength": 1, "maxLength": REASON_LENGTH}),
        "Withdrawn": _strict(id=text, state=state, upstream_id=text),
        "Events": _strict(
            events={"type": "array", "items": event},
            next={"type": "integer", "description": "Ask after this next time"},
        ),
        "Health": _strict(status={"const": "ok"}),
        "Ready": _strict(status={"const": "ok"}, checks=checks),
    }


def _strict(**properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _case_name(permit_type: PermitType) -> str:
    return f"Case.{permit_type.office}.{permit_type.code}"


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
