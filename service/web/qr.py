"""The offline QR's face: keys and revocation lists for everybody, and the scripts that read a QR without the server (docs/QR.md)."""

from __future__ import annotations

import gzip
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from service import qr_lists
from service.names import HIDDEN
from service.qr import short
from service.web import public, teken
from service.web.answers import as_json

if TYPE_CHECKING:
    from service.sop.model import Office
    from service.verification import PermitAnswer, PublicOffice

qr = Blueprint("qr", __name__, template_folder="templates")
POLICY = "script-src 'self'; connect-src 'self'; worker-src 'self'"
"""What a page with the script needs beside the strict policy."""
_WORKER_POLICY = "default-src 'none'; connect-src 'self'"
_A_MINUTE, _AN_HOUR = "public, max-age=60", "public, max-age=3600"


@qr.get("/api/v1/qr/keys")
def read_keys() -> Response:
    """Give every key that ever signed a QR here."""
    return _open(as_json({"keys": qr_lists.published_keys(teken())}))


@qr.get("/api/v1/qr/revocations")
def read_revocations() -> Response:
    """Give the newest signed list of each office."""
    return _open(as_json({"lists": qr_lists.published_lists(teken())}))


@qr.get("/qr/verify.js")
def read_script() -> Response:
    """Give the script of the page."""
    return _packed(Response(_script("qr_verify.js"), mimetype="text/javascript"), _AN_HOUR)


@qr.get("/qr/sw.js")
def read_worker() -> Response:
    """Give the service worker, which may only answer below /V/ or /v/ here."""
    response = _packed(Response(_script("qr_sw.js"), mimetype="text/javascript"), "no-cache")
    response.headers["Service-Worker-Allowed"] = f"{request.script_root}/"
    response.headers["Content-Security-Policy"] = _WORKER_POLICY
    return response


@qr.get("/qr/shell")
def read_shell() -> Response:
    """Give the page that reads a QR with the server down; for mirrors, a browser has it in what `read_known` gives."""
    return public.page(
        "qr_shell.html", public.host_office(), policy=POLICY, marks={"state": "offline"}, said=_words()["id"]
    )


@qr.get("/qr/offline.json")
def read_known() -> Response:
    """Give all that a browser keeps for this host: the page, the offices' names, keys, lists and words."""
    offices = _here()
    shell = read_shell()
    keys = qr_lists.published_keys(teken(), [one.code for one in offices])
    known = {
        "shell": shell.get_data(as_text=True),
        "policy": shell.headers["Content-Security-Policy"],
        "offices": {one.code: _named(one) for one in offices},
        "keys": [{name: key[name] for name in ("office", "kid", "x", "y", "state")} for key in keys],
        "lists": qr_lists.published_lists(teken(), [one.code for one in offices]),
        "words": _words(),
    }
    return _packed(as_json(known), _A_MINUTE)


def marks(answer: PermitAnswer | None, office: PublicOffice | None) -> dict[str, str] | None:
    """Return what the script compares a QR with; None where the page has no script, since no QR of the office proves itself."""
    known = teken().offices.offices
    here = next((one for code, one in known.items() if office and code == office.code), None)
    if answer is None or here is None:
        return None
    if not here.qr_offline and not (answer.permit and answer.permit.own_data):
        return None
    if answer.permit is None:
        return {"state": str(answer.state)}
    permit = answer.permit
    said = {"office": permit.office.code, "number": permit.number}
    if HIDDEN not in permit.holder:  # the paper may say more, from before the office chose to hide
        said["holder"] = short(permit.holder)
    return {
        "state": str(answer.state),
        **said,
        "from": permit.valid_from.isoformat(),
        "to": permit.valid_to.isoformat(),
    }


def _here() -> list[Office]:
    """Return the offices of this host whose QR proves itself; all of them where the host is none's."""
    host = urlsplit(request.host_url).hostname or ""
    offline = qr_lists.offices(teken())
    mine = [
        one for one in offline if host in {urlsplit(url).hostname for url in (one.public_url, *one.public_url_aliases)}
    ]
    return mine or offline


def _named(office: Office) -> dict[str, Any]:
    types = teken().offices.types(office.code)
    named = {one.document_code: [one.name, one.profession] for one in types}
    return {"name": office.name, "timezone": office.calendar.timezone, "types": named}


def _open(response: Response) -> Response:
    """For any program, also one in a page of somebody else's."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return _packed(response, _A_MINUTE)


def _packed(response: Response, kept: str) -> Response:
    """Nothing in it is secret, so it may be compressed."""
    response.headers["Cache-Control"] = kept
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings.best_match(["gzip"]):
        response.set_data(gzip.compress(response.get_data(), mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


@cache
def _script(name: str) -> str:
    return resources.files(__package__).joinpath("scripts", name).read_text("utf-8")


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("templates/qr.toml").read_text("utf-8"))
    shared = tomllib.loads(resources.files(__package__).joinpath("templates/verify.toml").read_text("utf-8"))
    return {lang: words[lang] | {name: shared[lang]["facts"][name] for name in _FACTS} for lang in words}


_FACTS = ("number", "holder", "profession", "validity", "type", "issuer")
