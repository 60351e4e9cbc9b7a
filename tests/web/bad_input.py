"""What must be refused, as data: each row says what is sent, and exactly which status, code and place come back.

A row sends `raw` as it is, or a good case whose place `at` is `value`; the rest say method, path and headers.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from service.cases.example import _grey
from tests.cases.sample import PNG, photo
from tests.web.conftest import OFFICE, TYPE, WITH_PHOTO

DROP = object()
JSON = "application/json"


@dataclass(frozen=True)
class Bad:
    name: str
    status: int
    code: str
    pointer: str | None = None
    fault: str | None = None
    at: str | None = None
    value: Any = None
    raw: bytes | None = None
    method: str = "POST"
    path: str = "/api/v1/cases"
    headers: dict[str, str | None] = field(default_factory=dict)
    key_of: str = OFFICE
    good: tuple[str, str] = (OFFICE, TYPE)


def place(name: str, at: str, value: Any, fault: str, pointer: str | None = None, **more: Any) -> Bad:
    """A good case but for one place: 422 with this fault there."""
    return Bad(name, 422, "case_invalid", at if pointer is None else pointer, fault, at, value, **more)


def text(name: str, value: str, fault: str) -> Bad:
    return place(f"name: {name}", "/applicant/nama", value, fault)


def raw(name: str, code: str, body: bytes, status: int = 400, **headers: str | None) -> Bad:
    return Bad(name, status, code, raw=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def get(name: str, path: str, status: int, code: str, **more: Any) -> Bad:
    return Bad(name, status, code, path=path, **{"method": "GET", **more})


def query(name: str, asked: str, pointer: str) -> Bad:
    return get(name, f"/api/v1/events?{asked}", 400, "query_invalid", pointer=pointer, fault="query_integer")


ROWS = [
    # who asks
    Bad("no key", 401, "unauthenticated", headers={"Authorization": None}),
    Bad("other scheme", 401, "unauthenticated", headers={"Authorization": "Basic YTpi"}),
    Bad("unknown key", 401, "unauthenticated", headers={"Authorization": "Bearer abcdef.abcdef"}),
    Bad("key without secret", 401, "unauthenticated", headers={"Authorization": "Bearer abcdef."}),
    Bad("key with a quote", 401, "unauthenticated", headers={"Authorization": "Bearer a'--.b"}),
    Bad("endless key", 401, "unauthenticated", headers={"Authorization": "Bearer " + "a" * 4000 + ".b"}),
    Bad("another office's case", 403, "wrong_office", at="/office", value="malang"),
    Bad("another client's key", 403, "wrong_office", key_of="malang"),
    Bad("an office that is none", 403, "wrong_office", at="/office", value="../../etc"),
    # the envelope
    raw("no body", "length_required", b"", 411),
    raw("a space", "json_syntax", b" "),
    raw("text/plain", "unsupported_media", b"{}", 415, Content_Type="text/plain"),
    raw("no content type", "unsupported_media", b"{}", 415, Content_Type=None),
    raw("form", "unsupported_media", b"office=x", 415, Content_Type="application/x-www-form-urlencoded"),
    raw("xml", "unsupported_media", b"<a/>", 415, Content_Type="application/xml"),
    raw("latin-1 charset", "unsupported_media", b"{}", 415, Content_Type="application/json; charset=latin-1"),
    raw("10 MB", "too_large", b'{"a":"' + b"a" * 10_000_000 + b'"}', 413),
    raw("just over 4 MB", "too_large", b" " * 4_000_001, 413),
    raw("key with a space", "idempotency_key_invalid", b"{}", Idempotency_Key="a b"),
    raw("endless idempotency key", "idempotency_key_invalid", b"{}", Idempotency_Key="k" * 256),
    raw("empty idempotency key", "idempotency_key_invalid", b"{}", Idempotency_Key=""),
    # JSON
    raw("not JSON", "json_syntax", b"office=rokan-hilir"),
    raw("cut off", "json_syntax", b'{"office": "rokan'),
    raw("two values", "json_syntax", b"{} {}"),
    raw("trailing comma", "json_syntax", b'{"office": "x",}'),
    raw("single quotes", "json_syntax", b"{'office': 'x'}"),
    raw("raw newline in a string", "json_syntax", b'{"office": "a\nb"}'),
    raw("comment", "json_syntax", b"{} // x"),
    raw("latin-1", "json_encoding", '{"office": "café"}'.encode("latin-1")),
    raw("utf-16", "json_encoding", '{"office": "x"}'.encode("utf-16")),
    raw("byte order mark", "json_encoding", b"\xef\xbb\xbf{}"),
    raw("overlong utf-8", "json_encoding", b'{"office": "\xc0\xaf"}'),
    raw("surrogate in utf-8", "json_encoding", b'{"office": "\xed\xa0\x80"}'),
    raw("lone surrogate", "json_surrogate", rb'{"office": "\ud800"}'),
    raw("lone surrogate as a key", "json_surrogate", rb'{"\udc00": 1}'),
    raw("duplicate key", "json_duplicate_key", b'{"office": "rokan-hilir", "office": "malang"}'),
    raw("duplicate key below", "json_duplicate_key", b'{"a": [{"b": 1, "\\u0062": 2}]}'),
    raw("NaN", "json_number", b'{"practice": {"ke": NaN}}'),
    raw("Infinity", "json_number", b'{"practice": {"ke": -Infinity}}'),
    raw("1e999", "json_number", b'{"practice": {"ke": 1e999}}'),
    raw("a number of a million digits", "json_number", b'{"practice": {"ke": ' + b"9" * 1_000_000 + b"}}"),
    raw("depth 21", "json_depth", b"[" * 21 + b"]" * 21),
    raw("depth 100000", "json_depth", b"[" * 100_000 + b"]" * 100_000),
    raw("depth by objects", "json_depth", b'{"a":' * 30 + b"1" + b"}" * 30),
    # not an object
    Bad("null", 422, "case_invalid", "", "wrong_type", raw=b"null"),
    Bad("list", 422, "case_invalid", "", "wrong_type", raw=b"[]"),
    Bad("string", 422, "case_invalid", "", "wrong_type", raw=b'"office"'),
    Bad("a bare number", 422, "case_invalid", "", "wrong_type", raw=b"17"),
    Bad("empty object", 422, "case_invalid", "/office", "required", raw=b"{}"),
    # the head
    place("office as a number", "/office", 1, "wrong_type"),
    place("unknown type", "/type", "sip-dokter", "type_unknown"),
    place("another office's type", "/type", "sik-perekam-medis", "type_unknown"),
    place("type as a path", "/type", "../kudus/sip-perekam-medis", "type_unknown"),
    place("type with NUL", "/type", "sip\x00", "control_character"),
    place("no upstream_id", "/upstream_id", DROP, "required"),
    place("upstream_id climbs", "/upstream_id", "../../etc/passwd", "upstream_id_shape"),
    place("upstream_id climbs inside", "/upstream_id", "a/../b", "upstream_id_shape"),
    place("upstream_id of 81", "/upstream_id", "a" * 81, "upstream_id_shape"),
    place("upstream_id with newline", "/upstream_id", "RV-1\n", "upstream_id_shape"),
    place("upstream_id with NUL", "/upstream_id", "RV-1\x00", "upstream_id_shape"),
    place("upstream_id in Arabic digits", "/upstream_id", "٣٢", "upstream_id_shape"),
    place("unknown request kind", "/request_kind", "DUPLIKAT", "not_a_choice"),
    place("renewal of nothing", "/request_kind", "PERPANJANGAN", "replaces_required", "/replaces"),
    place("new one replaces", "/replaces", "izn_1", "replaces_forbidden"),
    place("unknown member", "/priority", 1, "unknown_key"),
    place("prototype key", "/__proto__", {"a": 1}, "unknown_key"),
    place("a NIK as a key is not repeated", "/1407014101970001", 1, "unknown_key", ""),
    place("complete without offset", "/complete_at", "2026-11-20T08:00:00", "instant_shape"),
    place("complete on a date", "/complete_at", "20-11-2026", "instant_shape"),
    place("complete tomorrow", "/complete_at", "2026-11-21T08:00:00+07:00", "in_the_future"),
    place("complete on 30 February", "/complete_at", "2026-02-30T08:00:00+07:00", "instant_shape"),
    place("complete in another century", "/complete_at", "0001-01-01T00:00:00+23:59", "instant_shape"),
    # attested rows
    place("attested as an object", "/attested", {}, "wrong_type"),
    place("nothing attested", "/attested", [], "row_missing"),
    place("attested row that is done here", "/attested/0/no", 99, "row_not_attested"),
    place("attested row as text", "/attested/0/no", "1", "wrong_type"),
    place("attested tomorrow", "/attested/0/at", "2026-11-21T00:00:00Z", "in_the_future"),
    place("attested by nobody", "/attested/1/by", DROP, "required"),
    place("a million attested rows", "/attested", [{}] * 100_000, "too_many_items"),
    # persons
    text("none", DROP, "required"),
    text("null", None, "wrong_type"),
    text("a number", 17, "wrong_type"),
    text("list", ["Siti"], "wrong_type"),
    text("blank", " \u00a0\u3000", "empty"),
    text("only digits", "123", "no_letter"),
    text("10 kB", "Siti " * 2000, "too_long"),
    text("newline", "Siti\nContoh", "line_break"),
    text("NUL", "Siti\x00", "control_character"),
    text("escape sequence", "\x1b[2JSiti", "control_character"),
    text("right-to-left override", "Siti \u202eotohnoC", "bidi_character"),
    text("isolate", "Siti\u2066", "bidi_character"),
    text("zero-width space", "Si\u200bti", "invisible_character"),
    text("byte order mark inside", "Siti\ufeff", "invisible_character"),
    text("Hangul filler", "Siti\u3164", "invisible_character"),
    text("private use", "Siti\ue000", "private_character"),
    text("noncharacter", "Siti\ufffe", "unassigned_character"),
    text("stacked marks", "S" + "\u0301\u0302\u0303\u0304\u0306" * 3 + "iti", "stacked_marks"),
    place("NIK of 15", "/applicant/nik", "140701410197000", "nik_shape"),
    Bad("NIK as a number", 400, "json_number", at="/applicant/nik", value=1407014101970001),
    place("NIK of no province", "/applicant/nik", "0007014101970001", "nik_province"),
    place("NIK born in month 13", "/applicant/nik", "1407014113970001", "nik_date"),
    place("born on 30 February", "/applicant/tanggal_lahir", "1997-02-30", "date_shape"),
    place("born the other way round", "/applicant/tanggal_lahir", "01-01-1997", "date_shape"),
    place("born tomorrow", "/applicant/tanggal_lahir", "2026-11-21", "born_in_the_future"),
    place("born in 1800", "/applicant/tanggal_lahir", "1800-01-01", "date_range"),
    place("another sex", "/applicant/jenis_kelamin", "Perempuan", "not_a_choice"),
    place("applicant as text", "/applicant", "Siti", "wrong_type"),
    place("key in another case", "/applicant/Nama", "Siti", "unknown_key"),
    # STR and practice
    place("STR with a quote", "/str/nomor", "1' OR '1'='1", "str_shape"),
    place("STR of yesterday", "/str/masa_berlaku", "2026-11-19", "str_ended"),
    place("STR for life in lower case", "/str/masa_berlaku", "seumur hidup", "date_shape"),
    place("place 0", "/practice/ke", 0, "too_small"),
    place("place 1.0", "/practice/ke", 1.0, "wrong_type"),
    place("place true", "/practice/ke", True, "wrong_type"),
    # requirements
    place("no requirement", "/requirements", [], "requirement_missing"),
    place("unknown requirement", "/requirements/0/code", "sertifikat", "not_a_choice"),
    place("requirement as text", "/requirements/0", "ktp", "wrong_type"),
    # photo
    place("photo where none is taken", "/photo", photo(), "photo_forbidden"),
    place("photo missing", "/photo", DROP, "required", good=WITH_PHOTO, key_of="kudus"),
    place("photo as text", "/photo", "data:image/png;base64,AAAA", "wrong_type", good=WITH_PHOTO, key_of="kudus"),
    place("photo as a gif", "/photo/media_type", "image/gif", "not_a_choice", good=WITH_PHOTO, key_of="kudus"),
    place(
        "png called jpeg",
        "/photo/media_type",
        "image/jpeg",
        "photo_magic",
        "/photo/data",
        good=WITH_PHOTO,
        key_of="kudus",
    ),
    place("base64 with a space", "/photo/data", "AAAA AAAA", "base64", good=WITH_PHOTO, key_of="kudus"),
    place("base64 for addresses", "/photo/data", "_-8=", "base64", good=WITH_PHOTO, key_of="kudus"),
    place("base64 without padding", "/photo/data", "iVBORw0KGgo", "base64", good=WITH_PHOTO, key_of="kudus"),
    place(
        "photo of 2 MB and one",
        "/photo/data",
        base64.b64encode(PNG + bytes(2_000_001 - len(PNG))).decode(),
        "photo_too_large",
        good=WITH_PHOTO,
        key_of="kudus",
    ),
    Bad(
        "half a photo",
        422,
        "case_invalid",
        "/photo/data",
        "photo_unreadable",
        at="/photo/data",
        value=base64.b64encode(_grey()[:200]).decode(),
        good=WITH_PHOTO,
        key_of="kudus",
    ),
    Bad(
        "one pixel",
        422,
        "case_invalid",
        "/photo/data",
        "photo_too_small",
        at="/photo/data",
        value=base64.b64encode(PNG).decode(),
        good=WITH_PHOTO,
        key_of="kudus",
    ),
    Bad(
        "a pdf behind a png's head",
        422,
        "case_invalid",
        "/photo/data",
        "photo_format",
        at="/photo/data",
        value=base64.b64encode(b"\x89PNG\r\n\x1a\n%PDF-1.7").decode(),
        good=WITH_PHOTO,
        key_of="kudus",
    ),
    # what the office's font can't print is refused at once, not after a 202
    text("a smiling face", "Siti \N{GRINNING FACE} Contoh", "missing_glyph"),
    text("another script", "Сити Контох", "missing_glyph"),
    # addresses
    get("unknown permit", "/api/v1/permits/izn_00000000000000000000", 404, "permit_unknown"),
    get("permit id climbs", "/api/v1/permits/..%2f..%2fetc%2fpasswd", 404, "not_found"),
    get("permit id with dots", "/api/v1/permits/..", 404, "permit_unknown"),
    get("permit id with NUL", "/api/v1/permits/izn%00", 404, "permit_unknown"),
    get("permit id with newline", "/api/v1/permits/izn_1%0a", 404, "permit_unknown"),
    get("permit id with a quote", "/api/v1/permits/'%20or%20''='", 404, "permit_unknown"),
    get("endless permit id", "/api/v1/permits/" + "a" * 5000, 404, "permit_unknown"),
    get("document of nothing", "/api/v1/permits/izn_1/document", 404, "permit_unknown"),
    get("schema climbs", "/api/v1/offices/..%2f..%2fetc/types/passwd/schema", 404, "not_found"),
    get(
        "schema of another office's type", "/api/v1/offices/kudus/types/sik-perekam-medis/schema", 404, "type_not_found"
    ),
    get("unknown address", "/api/v1/nothing", 404, "not_found"),
    get("admin", "/api/v1/../../admin", 404, "not_found"),
    get("cases can't be listed", "/api/v1/cases", 405, "method_not_allowed"),
    get("permit can't be deleted", "/api/v1/permits/izn_1", 405, "method_not_allowed", method="DELETE"),
    get("trace", "/api/v1/events", 405, "method_not_allowed", method="TRACE"),
    # queries
    query("after text", "after=x", "/after"),
    query("after negative", "after=-1", "/after"),
    query("after huge", "after=" + "9" * 40, "/after"),
    query("after in Arabic digits", "after=%D9%A3", "/after"),
    query("limit 0", "limit=0", "/limit"),
    query("limit 100000", "limit=100000", "/limit"),
    # withdrawal
    Bad(
        "withdraw nothing",
        404,
        "permit_unknown",
        raw=b'{"reason":"Salah kirim"}',
        path="/api/v1/permits/izn_1/withdraw",
    ),
    Bad(
        "withdraw without reason",
        422,
        "reason_required",
        "/reason",
        "required",
        raw=b"{}",
        path="/api/v1/permits/izn_1/withdraw",
    ),
    Bad(
        "withdraw for blank",
        422,
        "reason_required",
        "/reason",
        "required",
        raw=b'{"reason":" "}',
        path="/api/v1/permits/izn_1/withdraw",
    ),
    Bad(
        "withdraw for a number",
        422,
        "invalid",
        "/reason",
        "wrong_type",
        raw=b'{"reason":1}',
        path="/api/v1/permits/izn_1/withdraw",
    ),
    Bad(
        "withdraw and more",
        422,
        "invalid",
        "/by",
        "unknown_key",
        raw=b'{"reason":"a","by":"b"}',
        path="/api/v1/permits/izn_1/withdraw",
    ),
    Bad("withdraw by a list", 422, "invalid", "", "wrong_type", raw=b"[]", path="/api/v1/permits/izn_1/withdraw"),
    Bad(
        "withdraw with endless words",
        422,
        "invalid",
        "/reason",
        "too_long",
        raw=json.dumps({"reason": "a " * 1000}).encode(),
        path="/api/v1/permits/izn_1/withdraw",
    ),
]
