"""Style, script and the office's colour, each at an address that changes with its content, so that browsers may keep it for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from flask import Response, url_for

from service.errors import NotFound
from service.verification.offices import face
from service.web import teken
from service.web.desk.colour import office_style
from service.web.desk.routing import ANYONE, route

KINDS = {".css": "text/css", ".js": "text/javascript"}
PNG = b"\x89PNG"
FOR_EVER = "public, max-age=31536000, immutable"


@route("/berkas/<version>/<name>", ANYONE)
def asset(version: str, name: str) -> Response:
    """Give a file of the desk's own."""
    if name not in _names() or version != _version(name):
        raise NotFound
    return _kept(Response(_content(name), mimetype=KINDS[name[name.rindex(".") :]]))


@route("/warna/<office>.css", ANYONE)
def colour(office: str) -> Response:
    """Give an office's colours."""
    response = Response(office_style(teken().offices.office(office).brand), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@route("/lambang/<office>", ANYONE)
def emblem(office: str) -> Response:
    """Give an office's emblem: an image, in which nothing can run."""
    drawn = face(teken(), teken().offices.office(office)).emblem
    response = Response(drawn, mimetype="image/png" if drawn.startswith(PNG) else "image/svg+xml")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def address(name: str) -> str:
    """Return the address of an asset."""
    return url_for("desk.asset", version=_version(name), name=name)


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = FOR_EVER
    return response


@cache
def _names() -> frozenset[str]:
    folder = resources.files(__package__).joinpath("static")
    return frozenset(one.name for one in folder.iterdir() if one.name.endswith(tuple(KINDS)))


@cache
def _content(name: str) -> bytes:
    return resources.files(__package__).joinpath("static", name).read_bytes()


@cache
def _version(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:12]
