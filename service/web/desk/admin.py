"""The admin's screens: officials and their mandates, certificates, accounts, holidays, and what waits for a second admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request, url_for

from service.desk import accounts, calendar, enrolment, invitations, mandates, officials, staff
from service.desk.certificate import MOST_BYTES
from service.desk.forms import Form
from service.desk.invitations import Made
from service.errors import Invalid, NotFound
from service.people import PREFIX, seal_owner
from service.web import teken
from service.web.desk import page as frame
from service.web.desk.page import Place, fault_words, office, page, today
from service.web.desk.routing import here, only, route, saw

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.desk.proposals import Proposal
    from service.desk.sessions import Session

ADMIN = only("admin")
frame.PLACES.append(Place("desk.admin", "settings", "admin.nav", ("admin",)))


def _waiting(session: Session) -> int:
    """How many proposals wait for this admin, and not for another."""
    found = staff.waiting(teken(), session.account.office)
    return sum(one.proposed_by != session.account.id for one in found)


frame.COUNTS["desk.admin"] = _waiting


@route("/admin", ADMIN)
def admin() -> Response:
    """Show the officials with mandates and certificates."""
    found = officials.people(teken(), here().account.office)
    saw("admin.people")
    return _page("admin.html", people=found, seal_owner=seal_owner(office()))


@route("/admin/pejabat/baru", ADMIN, methods=("GET", "POST"))
def admin_official() -> AnyResponse:
    """Propose a new official."""
    return _proposed("admin_official.html", lambda form: officials.propose(teken(), here().account, form))


@route("/admin/penugasan/baru", ADMIN, methods=("GET", "POST"))
def admin_mandate() -> AnyResponse:
    """Propose a mandate: definitive, Plt. or Plh."""
    people = officials.people(teken(), here().account.office).officials
    values = {
        "officials": people,
        "roles": mandates.roles_of(office()),
        "kinds": tuple(PREFIX),
        "today": today().isoformat(),
    }
    return _proposed("admin_mandate.html", lambda form: mandates.propose(teken(), here().account, form), **values)


@route("/admin/penugasan/akhiri", ADMIN, methods=("GET", "POST"))
def admin_mandate_end() -> AnyResponse:
    """Propose a mandate's last day."""
    wanted = request.values.get("mandat", "")
    found = [
        (one, mandate)
        for one in officials.people(teken(), here().account.office).officials
        for mandate in one.mandates
        if mandate.id == wanted
    ]
    if not found:
        raise NotFound("mandate_unknown")
    official, mandate = found[0]
    values = {"official": official, "mandate": mandate, "today": today().isoformat()}
    return _proposed("admin_end.html", lambda form: mandates.propose_end(teken(), here().account, form), **values)


@route("/admin/sertifikat", ADMIN, methods=("GET", "POST"))
def admin_certificate() -> AnyResponse:
    """Propose to enrol an official's or the seal's public certificate."""

    def propose(form: Form) -> str:
        file = request.files.get("berkas")
        data = file.stream.read(MOST_BYTES + 1) if file is not None else b""
        return enrolment.propose(teken(), here().account, form.fields.get("pemilik", ""), data)

    return _proposed("admin_certificate.html", propose, owners=_owners())


@route("/admin/akun", ADMIN)
def admin_accounts() -> Response:
    """Show the office's accounts."""
    saw("admin.accounts")
    return _accounts({}, {})


@route("/admin/akun/baru", ADMIN, methods=("POST",))
def admin_account_new() -> AnyResponse:
    """Make an account, or propose it."""
    typed = request.form.to_dict()
    try:
        made = invitations.create(teken(), here().account, Form(typed), tuple(request.form.getlist("tugas")))
    except Invalid as refused:
        named = {"login": "pengguna", "name": "nama", "duties": "tugas"}
        faults = {named.get(key, key): text for key, text in fault_words(refused).items()}
        return _accounts(typed, faults, refused.status)
    return _invited(made)


@route("/admin/akun/<account>/undang", ADMIN, methods=("POST",))
def admin_account_invite(account: str) -> AnyResponse:
    """Invite again, or propose it: password and authenticator begin anew."""
    return _invited(invitations.invite_again(teken(), here().account, account))


@route("/admin/akun/<account>/matikan", ADMIN, methods=("POST",))
def admin_account_disable(account: str) -> AnyResponse:
    """Take an account away."""
    invitations.disable(teken(), here().account, account)
    return redirect(url_for("desk.admin_accounts"), 303)


@route("/admin/libur", ADMIN, methods=("GET", "POST"))
def admin_holidays() -> AnyResponse:
    """Show the holidays; propose one."""
    days = calendar.listed(teken(), here().account.office)
    return _proposed(
        "admin_holidays.html",
        lambda form: calendar.propose(teken(), here().account, form),
        days=days,
    )


@route("/admin/libur/hapus", ADMIN, methods=("POST",))
def admin_holiday_remove() -> AnyResponse:
    """Propose to take an added holiday back."""
    calendar.propose_removal(teken(), here().account, request.form.get("hari", ""))
    return _to_proposals()


@route("/admin/usulan", ADMIN)
def admin_proposals() -> Response:
    """Show what waits for a second admin, and what was decided last."""
    saw("admin.proposals")
    place = office()
    names = {account.id: account.name for account, _ in accounts.of_office(teken(), place.code)}
    owners = _owners()
    waiting, decided = (
        [_told(one, names, owners) for one in some]
        for some in (staff.waiting(teken(), place.code), staff.decided(teken(), place.code))
    )
    return _page("admin_proposals.html", waiting=waiting, decided=decided)


@route("/admin/usulan/<proposal>/setujui", ADMIN, methods=("POST",))
def admin_confirm(proposal: str) -> AnyResponse:
    """Confirm and carry out what another admin proposed."""
    made = staff.confirm(teken(), here().account, proposal)
    return _invited(made) if made.invitation else _to_proposals()


@route("/admin/usulan/<proposal>/tolak", ADMIN, methods=("POST",))
def admin_refuse(proposal: str) -> AnyResponse:
    """Decline, or take the own one back."""
    staff.refuse(teken(), here().account, proposal)
    return _to_proposals()


def _page(template: str, *, status: int = 200, **values: Any) -> Response:
    return page(template, status=status, pending=_waiting(here()), **values)


def _proposed(template: str, propose: Callable[[Form], str], **values: Any) -> AnyResponse:
    """Show a form; what it proposes waits for a second admin. Nothing typed is lost on a fault."""
    if request.method == "GET":
        return _page(template, typed=request.args, faults={}, **values)
    try:
        propose(Form(request.form.to_dict()))
    except Invalid as refused:
        return _page(template, status=refused.status, typed=request.form, faults=fault_words(refused), **values)
    return _to_proposals()


def _to_proposals() -> AnyResponse:
    return redirect(url_for("desk.admin_proposals"), 303)


def _accounts(typed: dict[str, str], faults: dict[str, str], status: int = 200) -> Response:
    listed = accounts.of_office(teken(), office().code)
    with_account = {one.official for one, _ in listed}
    free = [one for one in officials.people(teken(), office().code).officials if one.id not in with_account]
    values = {"typed": typed, "faults": faults, "free": free, "duties": accounts.DUTIES}
    return _page("admin_accounts.html", status=status, listed=listed, **values)


def _invited(made: Made) -> AnyResponse:
    """Show the invitation this once: it is in no address, no log, and not kept by the browser."""
    if made.invitation is None:
        return _to_proposals()
    base = teken().settings.public_url or request.host_url.rstrip("/")
    link = f"{base}{url_for('desk.invitation', code=made.invitation)}"
    response = _page("admin_invitation.html", account=made.account, link=link)
    response.headers["Cache-Control"] = "no-store"
    return response


_SHOWN = (
    *("official", "owner", "name", "role", "day", "login", "duties", "valid_from", "valid_to", "decision"),
    *("nip", "rank", "subject", "issuer", "not_before", "not_after", "certificate_sha256"),
)


def _owners() -> dict[str, str]:
    """Return by id whose certificate one may be: an official's, or that of the office's seal."""
    place, people = office(), officials.people(teken(), here().account.office)
    owners = {one.id: one.name for one in people.officials}
    return owners | ({seal_owner(place): str(place.seal_name)} if people.seal is not None else {})


def _told(found: Proposal, names: dict[str, str], owners: dict[str, str]) -> dict[str, Any]:
    """Return a proposal with what its page says of it; `names` of accounts, `owners` of certificates and mandates."""
    given = dict(found.payload)
    for key in ("official", "owner"):
        if given.get(key):
            given[key] = owners.get(given[key], given.get("name") or given[key])
    if "role" in given:
        title = mandates.roles_of(office()).get(given["role"], given["role"])
        given["role"] = f"{PREFIX[given.pop('kind')]} {title}".strip()
    return {
        "id": found.id,
        "kind": found.kind.replace(".", "_"),
        "given": {key: given[key] for key in _SHOWN if key in given},
        "by": names.get(found.proposed_by, ""),
        "at": found.proposed_at,
        "own": found.proposed_by == here().account.id,
        "state": found.state,
        "decider": names.get(found.decided_by or "", ""),
        "decided_at": found.decided_at,
    }
