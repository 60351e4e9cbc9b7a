"""Entering a case at the desk: the form of a permit type, the page on which a second person checks it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, redirect, request, url_for

from service import photos
from service.desk import casefile, entry, entrylist, questions
from service.desk.entry import Draft, Found
from service.desk.questions import LIFELONG, PHOTO, REFERENCE, Question
from service.errors import CaseInvalid, Conflict, Fault, Invalid, NotFound
from service.sop.model import FieldKind
from service.web import teken
from service.web.desk.page import COUNTS, PLACES, Place, language, page, problem_title, words
from service.web.desk.routing import STAFF, here, route, saw
from service.web.problems import plain

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from service.errors import TekenError
    from service.sop.model import Field, Office, PermitType

PLACES.append(Place("desk.entries", "pencil", "entry.nav", shown=lambda session: bool(entry.types(teken(), session))))
COUNTS["desk.entries"] = lambda session: entrylist.count(teken(), session)
KEPT = "photo.kept"
"""The form's field that names a photo which was uploaded before."""
DATES = frozenset({FieldKind.DATE, FieldKind.STR_VALIDITY})


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it stands on the page."""

    question: Question
    label: str
    value: str = field(repr=False)
    shown: str = field(repr=False)
    fault: str = ""
    warning: str = ""
    also: Asked | None = None  # the reference of a requirement, whoever did a row of the SOP
    lifelong: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Questions that belong together."""

    name: str
    asked: tuple[Asked, ...]

    @property
    def warned(self) -> bool:
        """Tell whether anything here looks wrong."""
        return any(one.warning for one in self.asked)


@route("/permohonan", STAFF)
def entries() -> Response:
    """Show what the person has to do with entered cases."""
    session = here()
    kinds = entry.entering(teken(), session)
    names = {str(kind.code): kind.name for kind in kinds}
    found = entrylist.entries(teken(), session)
    routes = current_app.view_functions
    return page("entries.html", names=names, found=found, imports=entrylist.IMPORT, routes=routes)


@route("/permohonan/baru", STAFF, methods=("GET", "POST"))
def entry_form() -> AnyResponse:
    """Ask for a case; lay it before a second person."""
    if request.method == "POST":
        return _proposed()
    session = here()
    draft = _asked_for()
    if draft is None:
        return page("entry_types.html", kinds=entry.entering(teken(), session))
    return _form(entry.type_of(teken(), session, draft.type), draft, returned=_why(request.args))


@route("/permohonan/<proposal>", STAFF)
def entry_check(proposal: str) -> Response:
    """Show what was entered, to be checked against the papers."""
    found = entry.found(teken(), here(), proposal)
    saw("entry.seen", found.permit, proposal=proposal)
    return _checked(found)


@route("/permohonan/<proposal>/setujui", STAFF, methods=("POST",))
def entry_confirm(proposal: str) -> AnyResponse:
    """Accept the case."""
    try:
        entry.confirm(teken(), here(), proposal)
    except CaseInvalid:
        return redirect(url_for("desk.entry_check", proposal=proposal), 303)  # the page says what is wrong by now
    return redirect(url_for("desk.entry_check", proposal=proposal), 303)


@route("/permohonan/<proposal>/tolak", STAFF, methods=("POST",))
def entry_decline(proposal: str) -> AnyResponse:
    """Give the entry back to its writer, or take it back."""
    entry.decline(teken(), here(), proposal, reason=request.form.get("alasan", ""))
    return redirect(url_for("desk.entry_check", proposal=proposal), 303)


@route("/permohonan/foto/<ticket>.jpg", STAFF)
def entry_photo(ticket: str) -> Response:
    """Give a photo that this office's form holds."""
    name = entry.photo_of(teken(), here().account.office, ticket)
    if name is None:
        raise NotFound
    response = Response(photos.read(teken(), name), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def sections(
    kind: PermitType, answers: Mapping[str, str], faults: Sequence[Fault], warnings: Sequence[Fault] = ()
) -> tuple[Section, ...]:
    """Return the page's questions by group, with what was answered and what is wrong about it."""
    office = teken().offices.office(kind.office)
    zone = office.calendar.timezone
    body = questions.body(kind, zone, answers)
    wrong, doubtful = questions.placed(kind, body, faults), questions.placed(kind, body, warnings)
    asked = {
        one.name: Asked(
            question=one,
            label=label(one),
            value=answers.get(one.name, ""),
            shown=_shown(one, answers, zone),
            fault=fault_text(wrong[one.name][0]) if one.name in wrong else "",
            warning=fault_text(doubtful[one.name][0]) if one.name in doubtful else "",
            lifelong=one.name + LIFELONG in answers,
        )
        for one in questions.questions(kind)
    }
    return tuple(_grouped(asked))


def label(one: Question) -> str:
    """Return what a question is called."""
    t = words()
    if one.group == "attested":
        return t("entry.row_name" if one.kind == "person" else "entry.row_at", no=one.row)
    if one.name.endswith(REFERENCE):
        return t("entry.reference")
    return one.label or t("entry.ask." + one.name)


def actors(kind: PermitType) -> dict[str, str]:
    """Return what the roles of the SOP are called."""
    return {str(code): role.title for code, role in teken().offices.office(kind.office).roles.items()}


def fault_text(fault: Fault) -> str:
    """Return a fault in words for whoever fills in a form: the API's own where they fit."""
    own = f"entry.fault.{fault.code}"
    return words()(own) if words().has(own) else plain(fault, language())["detail"]


def _asked_for() -> Draft | None:
    """Return the answers to begin with: an own entry, a returned case, or none yet."""
    session = here()
    if proposal := request.args.get("ubah", ""):
        return entry.found(teken(), session, proposal).draft
    if permit := request.args.get("perbaiki", ""):
        saw("entry.correction", permit)
        return entry.again(teken(), session, permit)
    kinds = entry.types(teken(), session)
    code = request.args.get("jenis", "") or (str(kinds[0].code) if len(kinds) == 1 else "")
    if not code:
        return None
    kind = entry.type_of(teken(), session, code)
    return Draft(code, entry.fresh_id(), _begun(kind))


def _begun(kind: PermitType) -> dict[str, str]:
    """Fill in what is nearly always so: a new application, and oneself where only one's own role did a row."""
    session = here()
    rows = [one for one in questions.questions(kind) if one.kind == "person" and one.actor in session.roles]
    return {"request_kind": kind.request_kinds[0], **{one.name: session.account.name for one in rows}}


def _proposed() -> AnyResponse:
    session = here()
    kind = entry.type_of(teken(), session, request.form.get("jenis", ""))
    draft, faults = _typed(kind)
    try:
        if faults:
            faults += _judged(draft)
            raise CaseInvalid(faults=tuple(faults))
        proposal = entry.propose(teken(), session, draft)
    except (Invalid, Conflict) as refused:
        saw("entry.proposed", outcome=refused.code)
        return _form(kind, draft, refused)
    return redirect(url_for("desk.entry_check", proposal=proposal), 303)


def _typed(kind: PermitType) -> tuple[Draft, list[Fault]]:
    """Return what was typed, the photo archived; and what is wrong with the photo."""
    names = {one.name for one in questions.questions(kind)} - {PHOTO}
    names |= {one.path + LIFELONG for one in kind.fields if one.kind is FieldKind.STR_VALIDITY}
    answers = {name: text for name in sorted(names) if (text := request.form.get(name, "").strip())}
    photo = entry.photo_of(teken(), here().account.office, request.form.get(KEPT, ""))
    upload = request.files.get(PHOTO)
    faults: list[Fault] = []
    if kind.photo is not None and upload is not None and upload.filename:
        try:
            photo = entry.keep_photo(teken(), kind, upload.read())
        except CaseInvalid as refused:
            faults.extend(refused.faults)
    upstream_id = request.form.get("upstream_id", "") or entry.fresh_id()
    return Draft(str(kind.code), upstream_id, answers, photo), faults


def _judged(draft: Draft) -> list[Fault]:
    """Return what else is wrong, beside the photo."""
    try:
        entry.judge(teken(), here(), draft)
    except CaseInvalid as refused:
        return [fault for fault in refused.faults if not fault.pointer.startswith("/photo")]
    return []


def _why(asked: Mapping[str, str]) -> str:
    """Return why the case, or the entry, came back."""
    if "perbaiki" in asked:
        events = casefile.open_case(teken(), here(), asked["perbaiki"]).events
        return next((one.reason or "" for one in events if one.type == "case.returned"), "")
    return entry.found(teken(), here(), asked["ubah"]).reason if asked.get("ubah") else ""


def _form(kind: PermitType, draft: Draft, refused: TekenError | None = None, returned: str = "") -> Response:
    session = here()
    faults = refused.faults if refused is not None else ()
    shown = sections(kind, draft.answers, faults)
    office = teken().offices.office(kind.office)
    ticket = entry.photo_ticket(teken(), session.account.office, draft.photo) if draft.photo else ""
    return page(
        "entry.html",
        status=refused.status if refused is not None else 200,
        kind=kind,
        upstream_id=draft.upstream_id,
        sections=shown,
        ticket=ticket,
        summary=_summary(shown),
        general=problem_title(refused.code) if refused is not None and not _summary(shown) else "",
        names=_names(kind, office),
        say=choice_words,
        actors=actors(kind),
        returned=returned,
    )


def _summary(shown: Sequence[Section]) -> list[Asked]:
    all_ = [one for section in shown for one in section.asked]
    return [each for one in all_ for each in (one, one.also) if each is not None and each.fault]


def _names(kind: PermitType, office: Office) -> dict[str, tuple[str, ...]]:
    """Return names to choose from, by role, for the SOP's rows that the office's own people did."""
    held = entry.holders(teken(), office.code)
    return {str(row.actor): held[row.actor] for row in kind.procedure.attested_rows() if row.actor in held}


def _checked(found: Found) -> Response:
    session = here()
    photo = found.draft.photo
    return page(
        "entry_check.html",
        found=found,
        sections=sections(found.kind, found.draft.answers, found.faults, found.warnings),
        ticket=entry.photo_ticket(teken(), session.account.office, photo) if photo else "",
        actors=actors(found.kind),
    )


def _grouped(asked: dict[str, Asked]) -> list[Section]:
    groups: dict[str, list[Asked]] = {}
    for name, one in asked.items():
        if one.question.kind == "person" or name.endswith(REFERENCE):
            continue  # stands beside its row or requirement
        beside = asked.get(name + REFERENCE) or asked.get(name.removesuffix(".at") + ".name")
        groups.setdefault(one.question.group, []).append(replace(one, also=beside if beside is not one else None))
    return [Section(name, tuple(each)) for name, each in groups.items()]


def _shown(one: Question, answers: Mapping[str, str], zone: str) -> str:
    """Return an answer as one reads it."""
    t, text = words(), answers.get(one.name, "")
    if one.name + LIFELONG in answers:
        return t("entry.lifelong")
    if not text:
        return ""
    try:
        if one.kind in DATES:
            return t.day(questions.day_of(text))
        if one.kind == "instant":
            return t.moment(questions.instant_of(text, zone))
    except ValueError:
        return text
    return choice_words(one, text)


def choice_words(one: Question | Field, text: str) -> str:
    """Return a choice in words, if the screen has any for it."""
    keys: dict[str, Any] = {"request_kind": f"case.kind_of.{text}", FieldKind.CHOICE: f"entry.choice.{text}"}
    key = keys.get(one.kind)
    return words()(key) if key and words().has(key) else text
