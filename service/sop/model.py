"""What an office and its procedures are, as frozen data. Knows no file, no framework, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import NewType

OfficeCode = NewType("OfficeCode", str)
TypeCode = NewType("TypeCode", str)
RoleCode = NewType("RoleCode", str)


class Verb(StrEnum):
    """The closed vocabulary of SOP verbs: the first five are only ever attested by upstream."""

    APPLY = "apply"
    CHECK = "check"
    FORWARD = "forward"
    RECOMMEND = "recommend"
    ENTER = "enter"
    VERIFY = "verify"
    ASSEMBLE = "assemble"
    PARAF = "paraf"
    APPROVE = "approve"
    NUMBER = "number"
    SIGN = "sign"
    SEAL = "seal"
    ISSUE = "issue"
    NOTIFY = "notify"
    ARCHIVE = "archive"
    PRINT = "print"
    DELIVER = "deliver"
    SURVEY = "survey"
    HANDOVER = "handover"
    RECEIVE = "receive"


class How(StrEnum):
    """How a row of the SOP is done here."""

    ATTESTED = "attested"
    DONE = "done"
    REPLACED = "replaced"


class By(StrEnum):
    """Who moves an act on: a person presses, the worker does it, or the signing process does it."""

    PERSON = "person"
    WORKER = "worker"
    SIGNER = "signer"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that has to happen, in the order of the plan. `row` is None for Teken's own steps."""

    verb: Verb
    row: int | None
    by: By
    role: RoleCode | None  # who answers for it; None only for acts without a row


@dataclass(frozen=True, slots=True)
class Replacement:
    """What e-signing changes about a row: one sentence and the ADR that argues it."""

    sentence: str
    adr: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the SOP as written. `standard_minutes` is None where the SOP states none."""

    no: int
    text: str
    actor: RoleCode
    verb: Verb
    how: How
    by_role: RoleCode
    standard: str | None
    standard_minutes: int | None
    output: str | None
    acts: tuple[Verb, ...]
    later: tuple[tuple[Verb, int], ...]  # (verb, after this row): acts of this row done later
    replaced: Replacement | None


@dataclass(frozen=True, slots=True)
class Procedure:
    """One SOP: its rows in order, and the plan (acts in the order in which they happen)."""

    sop: str  # "000".."004"
    number: str
    title: str
    branch: str | None
    rows: tuple[Row, ...]
    plan: tuple[Act, ...]
    total: str | None
    total_minutes: int | None
    clock: str  # "complete" (file complete) or "apply"
    number_first: bool
    sealed: bool
    number_at_sign: bool = False  # the SOP numbers after the signature, the office with the head's order (ADR 0032)

    @property
    def number_after(self) -> bool:
        """Tell whether number and dates are filled in after the head's signature, by the seal's update."""
        return not self.number_first and not self.number_at_sign

    @property
    def signing_role(self) -> RoleCode:
        """Return the role whose holder signs the paper: the head, in whatever words the office names him."""
        return next(act.role for act in self.plan if act.verb is Verb.SIGN and act.role is not None)

    def attested_rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.how is How.ATTESTED)


@dataclass(frozen=True, slots=True)
class Role:
    code: RoleCode
    title: str
    internal: bool  # False for pemohon and upstream's people: they hold no account here
    signs: bool


@dataclass(frozen=True, slots=True)
class SeedPerson:
    """A first-start person (invented in the samples)."""

    code: str
    name: str
    nip: str | None
    rank: str | None
    roles: tuple[tuple[RoleCode, str, date, date | None, str | None], ...]  # role, kind, from, to, decision


@dataclass(frozen=True, slots=True)
class Series:
    """How register numbers of one series look, count and restart."""

    code: str
    pattern: str
    reset: str  # yearly | monthly | never
    scope: str  # office | type
    start: int
    title: str


@dataclass(frozen=True, slots=True)
class Paper:
    size: str  # A4 | F4
    font: str


@dataclass(frozen=True, slots=True)
class Calendar:
    timezone: str
    opens: time
    closes: time
    hours_per_day: int
    workdays: tuple[int, ...]  # ISO weekdays
    holidays: frozenset[date]


@dataclass(frozen=True, slots=True)
class SigningChoice:
    """Where the office's keys are, how far a service may change what it was given to sign (ADR 0030), and when the number is allotted."""

    backend: str = "pkcs12"  # the head's: pkcs12 | pkcs11 | bsre | csc
    returned: str = "strict"  # strict | own_field | rewritten; for services that sign whole documents
    seal_backend: str = "pkcs12"  # the seal's own
    seal_returned: str = "strict"
    sign_window: float | None = None  # minutes that a batch's passphrase lives; None: the host's setting
    number_at_sign: bool = False  # where the SOP numbers after the signature: allotted with the head's order (ADR 0032)
    authorise: str = "passphrase"  # passphrase | totp: what the head types, where bsre signs for him


@dataclass(frozen=True, slots=True)
class Notices:
    """What the office tells its applicants, by which channels, and when it lets them sleep."""

    channels: tuple[str, ...]  # whatsapp | sms | email: the first for which there is an address, then the next
    kinds: tuple[str, ...]  # ready | issued | returned | expiring
    quiet_from: time
    quiet_to: time  # the same as quiet_from: no quiet hours
    language: str  # id | en: of the texts that are not the office's own
    link: str  # verify | holder | none
    expiring_days: int
    texts: Mapping[str, str]  # by kind, with $names


@dataclass(frozen=True, slots=True)
class Office:
    code: OfficeCode
    name: str
    short_name: str
    government: str
    city: str
    public_url: str
    letterhead: tuple[str, ...]
    address: str
    contacts: tuple[str, ...]
    emblem: str
    brand: str
    paper: Paper
    calendar: Calendar
    roles: dict[RoleCode, Role]
    people: tuple[SeedPerson, ...]
    series: dict[str, Series]
    issue_at_least: str
    target: str
    seal_name: str | None
    certificate_label: str  # what the paper says of the signing certificate
    holder_name: str  # full | masked: what the public page shows
    year_end: str  # keep | void: numbered and unsigned at new year
    signing: SigningChoice = SigningChoice()
    correction: str = "keep"  # keep | new: number and set date of a permit that corrects wrong data (ADR 0041)
    qr_offline: bool = False  # the QR proves its own data without the server (ADR 0047)
    notices: Notices | None = None  # None: the office tells applicants nothing
    public_url_aliases: tuple[str, ...] = ()  # hosts of earlier years, whose issued addresses work for ever


class FieldKind(StrEnum):
    TEXT = "text"
    NAME = "name"
    ADDRESS = "address"
    DATE = "date"
    NIK = "nik"
    NIP = "nip"
    STR = "str"
    STR_VALIDITY = "str_validity"
    INTEGER = "integer"
    CHOICE = "choice"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the case. `path` is dotted: `applicant.nama` is `{"applicant": {"nama": ...}}`."""

    path: str
    label: str
    kind: FieldKind
    required: bool
    printed: bool
    public: bool
    max_length: int
    choices: tuple[str, ...]
    minimum: int | None
    maximum: int | None
    sample: object


@dataclass(frozen=True, slots=True)
class Requirement:
    code: str
    text: str
    required: bool


@dataclass(frozen=True, slots=True)
class LegalBasis:
    text: str
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Photo:
    ratio: str  # "3x4" | "4x6"
    required: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """End of validity: years from the set date, or the STR's own end if that comes first."""

    years: int
    cap_at_str: bool
    inclusive_end: bool  # True: the last valid day is the day before the anniversary


@dataclass(frozen=True, slots=True)
class PermitType:
    office: OfficeCode
    code: TypeCode
    name: str
    title: str
    profession: str
    document_code: str  # {type} in number patterns
    classification: str  # {klas} in number patterns
    series: str
    places: int
    request_kinds: tuple[str, ...]
    fields: tuple[Field, ...]
    requirements: tuple[Requirement, ...]
    legal_basis: tuple[LegalBasis, ...]
    clauses: tuple[str, ...]
    copies: tuple[str, ...]
    photo: Photo | None
    validity: Validity
    survey_gate: bool
    procedure: Procedure
    max_pages: int
