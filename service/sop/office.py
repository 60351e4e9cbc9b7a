"""`office.toml` to `Office`: what its keys must say together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

from service.sop import pattern
from service.sop.backends import DOCUMENTS, REWRITTEN, TAKE_CODES
from service.sop.model import (
    Calendar,
    Office,
    OfficeCode,
    Paper,
    Role,
    RoleCode,
    SeedPerson,
    Series,
    SigningChoice,
)
from service.sop.notices import check_notices, notices_of
from service.sop.read import read
from service.sop.schema import OfficeFile, SealTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.sop.faults import Faults
    from service.sop.schema import CalendarTable, MandateTable, PersonTable, SigningTable

LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
_EXTENDED = LEVELS.index("B-LT")
"""From here on something is added behind the signatures."""


@dataclass(frozen=True, slots=True)
class OfficeRead:
    """An office with what only loading needs: which branch of a type's SOP it chose."""

    office: Office
    branches: Mapping[str, str]


def read_office(files: Mapping[str, bytes], folder: str, found: Faults) -> OfficeRead | None:
    """None when anything in the file is wrong; `found` then says what."""
    table = read(files, found, OfficeFile)
    if table is None:
        return None
    before = len(found.found)
    if table.code != folder:
        found.add("", "code", "code_folder", folder=folder)
    refuse_repeated([table.public_url, *table.public_url_aliases], "", "public_url_aliases", found)
    _check_calendar(table.calendar, found)
    if LEVELS.index(table.levels.target) < LEVELS.index(table.levels.issue_at_least):
        found.add("levels", "target", "levels", least=table.levels.issue_at_least)
    _check_signing(table, found)
    if table.notices is not None:
        refuse_repeated(table.notices.channels, "notices", "channels", found)
        refuse_repeated(table.notices.kinds, "notices", "kinds", found)
        check_notices(table.notices, found)
    _check_people(table, found)
    for code in table.series:
        _check_series(table, code, found)
    return None if len(found.found) > before else OfficeRead(_office(table), dict(table.branches))


def _check_signing(table: OfficeFile, found: Faults) -> None:
    choice, seal = _signing(table.signing), table.signing.seal
    if table.signing.returned is not None and choice.backend not in DOCUMENTS:
        found.add("signing", "returned", "returned_needless", backend=choice.backend)
    if table.signing.authorise is not None and choice.backend not in TAKE_CODES:
        found.add("signing", "authorise", "authorise_needless", backend=choice.backend)
    if seal is not None and seal.returned is not None and choice.seal_backend not in DOCUMENTS:
        found.add("signing.seal", "returned", "returned_needless", backend=choice.seal_backend)
    if choice.returned == REWRITTEN and LEVELS.index(table.levels.target) >= _EXTENDED:
        found.add("levels", "target", "levels_rewritten", target=table.levels.target)
    if seal is not None and table.certificate.seal is None:
        found.add("signing", "seal", "seal_needless")


def _check_calendar(calendar: CalendarTable, found: Faults) -> None:
    """Closing minus opening may be longer than the working day: the rest is the midday break (`standard._days`)."""
    open_for = _moment(calendar.closes) - _moment(calendar.opens)
    if open_for.total_seconds() < calendar.hours_per_day * 3600:
        found.add("calendar", "closes", "hours")
    refuse_repeated(calendar.workdays, "calendar", "workdays", found)


def _moment(clock: str) -> datetime:
    return datetime.strptime(clock, "%H:%M")  # noqa: DTZ007 - only the distance of two is used


def _check_people(table: OfficeFile, found: Faults) -> None:
    for key in ("code", "nip"):
        seen: set[str] = set()
        for index, person in enumerate(table.people, 1):
            value = getattr(person, key)
            if value in seen:
                found.add(f"people[{index}]", key, "twice", value=value)
            seen |= {value} if value is not None else set()
    for index, person in enumerate(table.people, 1):
        for order, mandate in enumerate(person.roles, 1):
            _check_mandate(table, mandate, f"people[{index}].roles[{order}]", found)


def _check_mandate(table: OfficeFile, mandate: MandateTable, where: str, found: Faults) -> None:
    role = table.roles.get(mandate.role)
    if role is None:
        found.add(where, "role", "role_unknown", role=mandate.role)
    elif not role.internal:
        found.add(where, "role", "role_external", role=mandate.role)
    if mandate.to is not None and mandate.to < mandate.since:
        found.add(where, "to", "period")


def _check_series(table: OfficeFile, code: str, found: Faults) -> None:
    series = table.series[code]
    try:
        pattern.refuse_repeats(series.pattern, reset=series.reset, scope=series.scope)
    except pattern.PatternInvalid as error:
        found.add(f"series.{code}", "pattern", error.code, **error.params)


def refuse_repeated(values: Iterable[object], table: str, key: str, found: Faults) -> None:
    """A list that must not say the same twice."""
    seen: list[object] = []
    for index, value in enumerate(values, 1):
        if value in seen:
            found.add(table, f"{key}[{index}]", "twice", value=value)
        seen.append(value)


def _office(table: OfficeFile) -> Office:
    return Office(
        code=OfficeCode(table.code),
        name=table.name,
        short_name=table.short_name,
        government=table.government,
        city=table.city,
        public_url=table.public_url,
        letterhead=tuple(table.letterhead.lines),
        address=table.letterhead.address,
        contacts=tuple(table.letterhead.contacts),
        emblem=table.letterhead.emblem,
        brand=table.brand,
        paper=Paper(table.paper.size, table.paper.font),
        calendar=_calendar(table),
        roles={
            RoleCode(code): Role(RoleCode(code), role.title, role.internal, role.signs)
            for code, role in table.roles.items()
        },
        people=tuple(_person(person) for person in table.people),
        series={
            code: Series(code, series.pattern, series.reset, series.scope, series.start, series.title)
            for code, series in table.series.items()
        },
        issue_at_least=table.levels.issue_at_least,
        target=table.levels.target,
        seal_name=table.certificate.seal,
        certificate_label=table.certificate.label,
        holder_name=table.holder_name,
        year_end=table.year_end,
        signing=_signing(table.signing),
        correction=table.correction.number,
        qr_offline=table.qr.offline,
        notices=notices_of(table.notices) if table.notices else None,
        public_url_aliases=tuple(table.public_url_aliases),
    )


def _signing(table: SigningTable) -> SigningChoice:
    """The seal's key lies where the head's does; beside a service that signs for persons it is a file of the office's own."""
    seal = table.seal or SealTable()
    beside = "pkcs12" if table.backend in DOCUMENTS else table.backend
    return SigningChoice(
        backend=table.backend,
        authorise=table.authorise or "passphrase",
        returned=table.returned or "strict",
        seal_backend=seal.backend or beside,
        seal_returned=seal.returned or "strict",
        sign_window=table.sign_window,
        number_at_sign=table.number_at_sign,
    )


def _calendar(table: OfficeFile) -> Calendar:
    return Calendar(
        timezone=table.timezone,
        opens=time.fromisoformat(table.calendar.opens),
        closes=time.fromisoformat(table.calendar.closes),
        hours_per_day=table.calendar.hours_per_day,
        workdays=tuple(table.calendar.workdays),
        holidays=frozenset(table.calendar.holidays),
    )


def _person(person: PersonTable) -> SeedPerson:
    return SeedPerson(
        code=person.code,
        name=person.name,
        nip=person.nip,
        rank=person.rank,
        roles=tuple((RoleCode(role.role), role.kind, role.since, role.to, role.decision) for role in person.roles),
    )
