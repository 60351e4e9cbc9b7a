"""Logging in and out: password, then a code of the authenticator app; and the invitation with which an account begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from service.desk import accounts, sessions
from service.errors import Invalid, TooMany
from service.web import teken
from service.web.desk.page import fault_words, page, qr
from service.web.desk.routing import (
    ANYONE,
    DEVICE,
    LANGUAGE,
    SESSION,
    STAFF,
    caller,
    cookie,
    current,
    drop,
    here,
    keep,
    known,
    route,
)
from service.web.desk.words import LANGUAGES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

DEVICE_DAYS = 180


@route("/masuk", ANYONE, methods=("GET", "POST"))
def login() -> AnyResponse:
    """Ask for login and password."""
    if current() is not None:
        return redirect(_onward(), 303)
    if request.method == "GET":
        return page("login.html", onward=_onward(), fault=None, login="")
    name = request.form.get("login", "")
    try:
        token = sessions.log_in(teken(), name, request.form.get("password", ""), caller())
    except (sessions.LoginWrong, TooMany) as refused:
        return _again("login.html", refused, login=name)
    return keep(redirect(url_for("desk.second_factor", lanjut=_onward()), 303), SESSION, token)


@route("/masuk/kode", ANYONE, methods=("GET", "POST"))
def second_factor() -> AnyResponse:
    """Ask for the code of the authenticator app."""
    waiting = known()
    if waiting is None:
        return redirect(url_for("desk.login", lanjut=_onward()), 303)
    if waiting.strong:
        return redirect(_onward(), 303)
    if request.method == "GET":
        return page("code.html", onward=_onward(), fault=None, pending=waiting.csrf)
    try:
        token, device = sessions.confirm(
            teken(), request.cookies.get(cookie(SESSION), ""), request.form.get("code", ""), caller()
        )
    except (sessions.LoginWrong, TooMany) as refused:
        return _again("code.html", refused, pending=waiting.csrf)
    response = keep(redirect(_onward(), 303), SESSION, token)
    return keep(response, DEVICE, device, days=DEVICE_DAYS)


@route("/keluar", STAFF, methods=("POST",))
def logout() -> AnyResponse:
    """End the session."""
    sessions.end(teken(), here())
    return drop(redirect(url_for("desk.login"), 303), SESSION)


@route("/undangan/<code>", ANYONE, methods=("GET", "POST"))
def invitation(code: str) -> AnyResponse:
    """Set the password and the second factor of a new account."""
    invited = accounts.invited(teken(), code)
    secret = request.form.get("secret") or accounts.fresh_secret()
    faults: dict[str, str] = {}
    if request.method == "POST":
        try:
            ready = accounts.accept_invitation(
                teken(),
                code,
                password=request.form.get("password", ""),
                secret=secret,
                shown=request.form.get("code", ""),
            )
        except Invalid as refused:
            faults = fault_words(refused)
        else:
            return keep(redirect(url_for("desk.inbox"), 303), SESSION, sessions.enter(teken(), ready))
    shown = {"secret": secret, "grouped": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))}
    return page(
        "invitation.html",
        status=422 if faults else 200,
        invited=invited,
        qr=qr(accounts.totp_address(invited, secret)),
        faults=faults,
        least=accounts.SHORTEST,
        **shown,
    )


@route("/bahasa/<code>", ANYONE)
def choose_language(code: str) -> AnyResponse:
    """Keep the chosen language, and go back to the page."""
    response = redirect(_onward(), 303)
    return keep(response, LANGUAGE, code, days=365) if code in LANGUAGES else response


def _again(template: str, refused: sessions.LoginWrong | TooMany, **values: str) -> AnyResponse:
    key = "login.slow" if isinstance(refused, TooMany) else f"login.{template.removesuffix('.html')}_wrong"
    response = page(
        template, status=refused.status, onward=_onward(), fault=key, seconds=refused.retry_after or 0, **values
    )
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


def _onward() -> str:
    """Return where to go on: a page of the desk, never another site."""
    asked = request.values.get("lanjut", "")
    return asked if asked.startswith("/meja/") and "//" not in asked and "\\" not in asked else url_for("desk.inbox")
