"""A stand-in for BSrE's Esign Client Service v2 that really signs, with development certificates, and plays its quirks.

What it does is what integrators report (`bsre.toml`); the page at / says where each behaviour was seen and what is unverified.
"""

from __future__ import annotations

import base64
import hmac
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template_string, request
from werkzeug.http import http_date
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from service.simulate.play import Play, parse, script
from service.simulate.speech import failure, opinion, said_status
from signing import SigningError
from signing.outside import OutsideSpec, Picture, empty_signature_fields, picture_size, rewritten, sign_outside

api = Blueprint("bsre", __name__, url_prefix="/api/v2")
_WRONG_PASSPHRASE, _UNREGISTERED = 2031, 2011
_MOST_BYTES: Final = 256 << 20
_ALONE: Final = threading.Lock()
"""asn1crypto completes its types at their first use, which two threads at once spoil."""


def simulator(folder: Path, switches: Sequence[str] = ()) -> Flask:
    """The application. `folder` keeps its keys; `switches` as in `teken simulate bsre --quirk`. Raises QuirkUnknown."""
    app = Flask("service.simulate", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    app.extensions["play"] = Play(folder, parse(switches))
    app.register_blueprint(api)
    app.add_url_rule("/", "page", _page)
    return app


def serve(folder: Path, port: int, switches: Sequence[str], *, ready: Callable[[str], object]) -> int:
    """Serve on this machine only, until Ctrl-C; `ready` is told the address."""
    server = listening(simulator(folder, switches), port)
    ready(f"http://127.0.0.1:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def listening(app: Flask, port: int = 0) -> BaseWSGIServer:
    """A server on this machine only (port 0: any), whose answers bear the date of the simulated clock."""

    class Dated(WSGIRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            play: Play = app.extensions["play"]
            return http_date(timestamp or play.now())

    return make_server("127.0.0.1", port, app, threaded=True, request_handler=Dated)


def _play() -> Play:
    play: Play = current_app.extensions["play"]
    return play


def _page() -> str:
    play, told = _play(), script()
    template = Path(__file__).with_name("page.html").read_text("utf-8")
    return render_template_string(
        template,
        quirks=told["quirk"],
        on=play.on,
        unverified=told["unverified"],
        login=told["login"],
        accounts=play.accounts,
        codes=play.codes,
    )


@api.before_request
def _gate() -> Response | None:
    """HTTP Basic first, then the service's moods."""
    login, given = script()["login"], request.authorization
    if given is None or not (
        hmac.compare_digest(given.username or "", login["user"])
        and hmac.compare_digest(given.password or "", login["password"])
    ):
        return failure(401, None, "Unauthorized")
    refused = _play().refuses_now()
    if not refused:
        return None
    answer = failure(refused, None, "Coba lagi nanti")
    if "no_retry_after" not in _play().on:
        answer.headers["Retry-After"] = "1"
    return answer


@api.post("/user/check/status")
def _status() -> Response:
    number = _number(_body())
    return said_status(None if "not_registered" in _play().on else _play().accounts.get(number), _texts())


@api.post("/sign/get/totp")
def _person_code() -> Response:
    """The code goes to the signer: here, to the page."""
    number = _number(_body())
    if _play().account(number, seal=False) is None:
        return failure(400, _UNREGISTERED, "User tidak terdaftar", texts=_texts())
    wanted = _body().get("data", 1)
    _play().new_code(number, wanted if isinstance(wanted, int) else 1)
    return jsonify(status="success", message="Kode dikirim")


@api.post("/seal/get/activation")
def _activation() -> Response:
    number = _number(_body())
    if _play().account(number, seal=True) is None:
        return failure(400, _UNREGISTERED, "Langganan tidak terdaftar", texts=_texts())
    return jsonify(totp=_play().new_code(number), expires=_play().now().isoformat())


@api.post("/seal/get/totp")
def _seal_code() -> Response:
    number, body = _number(_body()), _body()
    account = _play().account(number, seal=True)
    if account is None or not _play().takes_secret(number, account, body):
        return failure(400, _WRONG_PASSPHRASE, "TOTP salah", texts=_texts())
    return jsonify(result="success", totp=_play().new_code(number))


@api.post("/verify/pdf")
def _verify() -> Response:
    anchor = (_play().folder / "root.pem").read_bytes()
    return opinion(base64.b64decode(str(_body().get("file", ""))), anchor, _play().on)


@api.post("/sign/pdf")
def _sign() -> Response:
    return _signed(seal=False)


@api.post("/seal/pdf")
def _seal() -> Response:
    return _signed(seal=True)


def _signed(*, seal: bool) -> Response:
    play, body, started = _play(), _body(), time.monotonic()
    number = _number(body)
    account = play.account(number, seal=seal)
    if account is None:
        return failure(400, _UNREGISTERED, "User tidak terdaftar", texts=_texts())
    if not play.takes_secret(number, account, body):
        return failure(400, _WRONG_PASSPHRASE, "Proses signing gagal : Passphrase anda salah", texts=_texts())
    looks = body.get("signatureProperties") or [{}]
    if "picture_required" in play.on and not all(look.get("imageBase64") for look in looks):
        return failure(500, None, "Internal Server Error")
    try:
        files = [
            _one(play, number, text, looks[min(at, len(looks) - 1)]) for at, text in enumerate(body.get("file", []))
        ]
    except (SigningError, ValueError):
        return failure(400, None, "InvalidPdfException: Rebuild failed")
    if "drops_connection" in play.on:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    if "partial_batch" in play.on and len(files) > 1:
        files.pop()
    answer = jsonify(time=int((time.monotonic() - started) * 1000), file=files)
    answer.status_code = 500 if "error_with_file" in play.on else 200
    return answer


def _one(play: Play, number: str, text: str, look: Mapping[str, Any]) -> str:
    """Sign one document with the account's key."""
    pdf = base64.b64decode(text, validate=True)
    waiting = () if "own_field" in play.on else empty_signature_fields(pdf)
    spec = OutsideSpec(
        field=waiting[0] if waiting else play.own_field(),
        picture=_picture(look, by_pixels="pixel_size" in play.on),
        reason=str(look.get("reason", "")),
        location=str(look.get("location", "")),
        at=play.now(),
        timestamper=play.timestamper,
    )
    time.sleep(play.on.get("slow", 0))
    with _ALONE:
        signed = sign_outside(rewritten(pdf) if "rewritten" in play.on else pdf, play.key(number), spec)
    return base64.b64encode(signed).decode("ascii")


def _picture(look: Mapping[str, Any], *, by_pixels: bool) -> Picture | None:
    if str(look.get("tampilan", "INVISIBLE")).upper() != "VISIBLE":
        return None
    image = base64.b64decode(str(look["imageBase64"]), validate=True)
    width, height = picture_size(image) if by_pixels else (float(look["width"]), float(look["height"]))
    left, bottom = float(look["originX"]), float(look["originY"])
    return Picture(image, int(look["page"]), (left, bottom, left + width, bottom + height))


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _number(body: Mapping[str, Any]) -> str:
    return str(body.get("nik") or body.get("idSubscriber") or "")


def _texts() -> bool:
    return "text_codes" in _play().on
