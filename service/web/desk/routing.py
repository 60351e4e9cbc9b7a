"""Routes of the desk, each with who may use it, and the one gate before all of them: session, second factor, CSRF, duty."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, g, redirect, request, url_for

from service.desk import book
from service.desk.sessions import Caller, Session, find
from service.errors import BadRequest, Forbidden, NotFound, TekenError
from service.handover import wipe
from service.turn import Stood
from service.web import teken
from service.web.desk import secretform
from service.web.sources import source

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

SESSION, DEVICE, LANGUAGE = "teken_meja", "teken_perangkat", "bahasa"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

desk = Blueprint("desk", __name__, url_prefix="/meja", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Who:
    """Who may use a route: anybody, anybody who is logged in, or only people with one of these roles or duties."""

    anyone: bool = False
    one_of: tuple[str, ...] = ()


ANYONE = Who(anyone=True)
STAFF = Who()


class LoginNeeded(Forbidden):
    """Nobody is logged in, or the session is over."""

    code = "login_needed"


class FormOutdated(Forbidden):
    """The form was not made for this session: a stranger's page, or one from before the last log-in."""

    code = "form_outdated"


MOST = 2**31 - 1
BEFORE_SESSION = frozenset({"desk.login", "desk.invitation"})
"""Forms that a session that is still around has nothing to do with."""
WHO: dict[str, Who] = {}
"""By endpoint; a test holds every route of the desk against it."""
SECRET_FORMS: set[str] = set()
"""Endpoints whose form holds a passphrase: nobody but `secretform` reads it."""


def only(*roles_or_duties: str) -> Who:
    """Allow people who hold one of these today."""
    return Who(one_of=roles_or_duties)


def route(rule: str, who: Who, *, methods: tuple[str, ...] = ("GET",), secret: bool = False) -> Callable[[Any], Any]:
    """Register a view under /meja for these people. `secret`: its form holds a passphrase, see `secret_form`."""

    def register(view: Any) -> Any:
        WHO[f"desk.{view.__name__}"] = who
        if secret:
            SECRET_FORMS.add(f"desk.{view.__name__}")
        return desk.route(rule, methods=methods)(view)

    return register


def here() -> Session:
    """Return the session of whoever asks. Only for routes that are not for anyone."""
    session = current()
    assert session is not None, "the gate lets nobody else in"
    return session


def current() -> Session | None:
    """Return the session, if the second factor was shown too."""
    session = known()
    return session if session is not None and session.strong else None


def known() -> Session | None:
    """Return the session also while it still waits for its second factor."""
    if "desk_session" not in g:
        token = request.cookies.get(cookie(SESSION), "")
        g.desk_session = find(teken(), token) if token else None
    return cast("Session | None", g.desk_session)


def secret_form() -> secretform.SecretForm:
    """Return the form with the passphrase; it is wiped when the request ends."""
    if "secret_form" not in g:
        g.secret_form = secretform.read(request)
    return cast("secretform.SecretForm", g.secret_form)


def stood() -> Stood:
    """Return where the case stood when the form was made: revision and position."""
    return request.form.get("revision", 0, type=int), request.form.get("position", -1, type=int)


def caller() -> Caller:
    """Return what is known of who knocks."""
    return Caller(source=source(request.remote_addr).address, device=request.cookies.get(cookie(DEVICE), ""))


def cookie(name: str) -> str:
    """Return the cookie's name: over HTTPS one that no other host and no plain page can set."""
    return f"__Host-{name}" if request.is_secure else name


def keep(response: AnyResponse, name: str, value: str, *, days: int | None = None) -> AnyResponse:
    """Set a cookie that scripts can't read and other sites' pages don't send."""
    age = days * 86400 if days else None
    response.set_cookie(
        cookie(name), value, max_age=age, secure=request.is_secure, httponly=True, samesite="Strict", path="/"
    )
    return response


def drop(response: AnyResponse, name: str) -> AnyResponse:
    """Take a cookie back."""
    response.delete_cookie(cookie(name), secure=request.is_secure, httponly=True, samesite="Strict", path="/")
    return response


def saw(action: str, permit: str | None = None, **detail: Any) -> None:
    """Note in the desk's log what the person saw or did."""
    session = here()
    book.note(
        teken(), office=session.account.office, account=session.account.id, action=action, permit=permit, **detail
    )


@desk.before_request
def _gate() -> AnyResponse | None:
    who = WHO[str(request.endpoint)]
    if any(_is_absurd(one) for one in (request.view_args or {}).values()):
        raise NotFound
    if request.method not in READING:
        _check_form()
    if request.endpoint not in SECRET_FORMS:
        check_given()
    if who.anyone:
        return None
    session = current()
    if session is None:
        return _to_login()
    if who.one_of and not session.is_one_of(*who.one_of):
        raise Forbidden
    if request.endpoint in SECRET_FORMS:
        check_given(secret=True)
    return None


def check_given(*, secret: bool = False) -> None:
    """Refuse what no database takes, in an address or a form. Raises BadRequest."""
    if any(_is_absurd(one) for pair in _given(secret=secret) for one in pair):
        raise BadRequest


def _given(*, secret: bool) -> Iterator[tuple[str, str]]:
    yield from request.args.items(multi=True)
    if request.method not in READING:
        yield from secret_form().fields.items() if secret else request.form.items(multi=True)


def _is_absurd(one: object) -> bool:
    """Tell of what no database takes."""
    return one > MOST if isinstance(one, int) else "\0" in str(one)


def _check_form() -> None:
    """A form is taken from our own pages only; of whoever is logged in also only with the session's own token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise FormOutdated
    session = known()
    if session is not None and request.endpoint not in BEFORE_SESSION:
        fields = secret_form().fields if request.endpoint in SECRET_FORMS else request.form
        given = fields.get("csrf", "")
        if not secrets.compare_digest(given.encode(), session.csrf.encode()):
            raise FormOutdated


def _to_login() -> AnyResponse:
    if request.headers.get("HX-Request"):
        response = Response(status=204)
        response.headers["HX-Redirect"] = url_for("desk.login")
        return response
    if request.method in READING:
        return redirect(url_for("desk.login", lanjut=request.full_path.rstrip("?")), 303)
    raise LoginNeeded


@desk.errorhandler(TekenError)
def _told(error: TekenError) -> Response:
    from service.web.desk.page import error_page

    _note_refusal(error)
    return error_page(error)


def _note_refusal(error: TekenError) -> None:
    session = current()
    office, account = (session.account.office, session.account.id) if session else ("", "")
    permit = (request.view_args or {}).get("permit")
    permit = None if _is_absurd(permit) else permit
    action = str(request.endpoint).removeprefix("desk.")
    book.note(teken(), office=office, account=account, action=action, permit=permit, outcome=error.code)


@desk.teardown_request
def _wipe(_error: BaseException | None) -> None:
    held = g.pop("secret_form", None)
    if held is not None:
        wipe(held.secret)


@desk.after_request
def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Robots-Tag", "noindex, nofollow, noarchive")
    return response
