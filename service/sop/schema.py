"""The shape of `office.toml`, `sop.toml` and `fields.toml`: every key, its kind and its limits.

What spans keys, tables or files is checked in `office`, `rows`, `plan` and `permit_type`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Callable


def _shaped(pattern: str, code: str, **params: str) -> Callable[[str], str]:
    """A check that the whole text matches; `code` is looked up in `faults.MESSAGES`."""
    whole = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if whole.fullmatch(text) is None:
            raise PydanticCustomError(code, code, params)
        return text

    return check


def _clean(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable():
        raise PydanticCustomError("text_unclean", "text_unclean")
    return text


def _born(nip: str) -> str:
    """Check the birth date of YYYYMMDD YYYYMM G NNN; PPPK use the middle part otherwise, so it is left alone."""
    try:
        date(int(nip[:4]), int(nip[4:6]), int(nip[6:8]))
    except ValueError as error:
        raise PydanticCustomError("nip_shape", "nip_shape") from error
    return nip


Text = Annotated[str, Field(max_length=1000), AfterValidator(_clean)]
Slug = Annotated[
    str,
    Field(max_length=60),
    AfterValidator(_shaped(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "code_shape", joiner="tanda hubung")),
]
Name = Annotated[
    str,
    Field(max_length=60),
    AfterValidator(_shaped(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", "code_shape", joiner="garis bawah")),
]
Mark = Annotated[str, Field(max_length=40), AfterValidator(_shaped(r"[0-9A-Za-z]+([.-][0-9A-Za-z]+)*", "mark_shape"))]
Url = Annotated[
    str, Field(max_length=100), AfterValidator(_shaped(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{2,5})?", "url_shape"))
]
Clock = Annotated[str, AfterValidator(_shaped(r"([01]\d|2[0-3]):[0-5]\d", "time_shape"))]
Nip = Annotated[str, AfterValidator(_shaped(r"\d{8}\d{6}[12]\d{3}", "nip_shape")), AfterValidator(_born)]
FileName = Annotated[
    str, Field(max_length=60), AfterValidator(_shaped(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)+", "file_name"))
]
Colour = Annotated[str, AfterValidator(_shaped(r"#[0-9a-fA-F]{6}", "colour_shape"))]
Path = Annotated[
    str, Field(max_length=80), AfterValidator(_shaped(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", "path_shape"))
]
Adr = Annotated[str, AfterValidator(_shaped(r"\d{4}(, \d{4})*", "adr_shape"))]
Weekday = Annotated[int, Field(ge=1, le=7)]
Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]
BackendName = Literal["pkcs12", "pkcs11", "bsre", "csc"]
ReturnedName = Literal["strict", "own_field", "rewritten"]
AuthoriseName = Literal["passphrase", "totp"]
ChannelName = Literal["whatsapp", "sms", "email"]
NoticeName = Literal["ready", "issued", "returned", "expiring"]
VerbName = Literal[
    "apply", "check", "forward", "recommend", "enter", "verify", "assemble", "paraf", "approve", "number",
    "sign", "seal", "issue", "notify", "archive", "print", "deliver", "survey", "handover", "receive",
]  # fmt: skip
KindName = Literal[
    "text", "name", "address", "date", "nik", "nip", "str", "str_validity", "integer", "choice", "phone", "email"
]  # fmt: skip


class Table(BaseModel):
    """Strict and closed: TOML already knows types, and an unknown key is a spelling mistake."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=False)


# office.toml


class LetterheadTable(Table):
    lines: Annotated[list[Text], Field(min_length=1, max_length=6)]
    address: Text
    contacts: Annotated[list[Text], Field(max_length=6)] = []
    emblem: FileName = "emblem.svg"


class PaperTable(Table):
    size: Literal["A4", "F4"] = "A4"
    font: Text


class CalendarTable(Table):
    opens: Clock
    closes: Clock
    hours_per_day: Annotated[int, Field(ge=1, le=24)] = 8
    workdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    holidays: list[date] = []


class LevelsTable(Table):
    issue_at_least: Level = "B-B"
    target: Level = "B-B"


class CertificateTable(Table):
    label: Text
    seal: Text | None = None


class SealTable(Table):
    backend: BackendName | None = None
    returned: ReturnedName | None = None


class SigningTable(Table):
    backend: BackendName = "pkcs12"
    authorise: AuthoriseName | None = None
    returned: ReturnedName | None = None
    seal: SealTable | None = None
    sign_window: Annotated[float, Field(gt=0, le=60)] | None = None
    number_at_sign: bool = False


class QrTable(Table):
    offline: bool = False


class RoleTable(Table):
    title: Text
    internal: bool = True
    signs: bool = False


class MandateTable(Table):
    role: Name
    kind: Literal["definitif", "plt", "plh"]
    since: date = Field(alias="from")
    to: date | None = None
    decision: Text | None = None


class PersonTable(Table):
    code: Name
    name: Text
    nip: Nip | None = None
    rank: Text | None = None
    roles: Annotated[list[MandateTable], Field(min_length=1)]


class SeriesTable(Table):
    title: Text
    pattern: Annotated[Text, Field(max_length=120)]
    scope: Literal["office", "type"]
    reset: Literal["yearly", "monthly", "never"]
    start: Annotated[int, Field(ge=1, le=999_999)] = 1


class CorrectionTable(Table):
    number: Literal["keep", "new"] = "keep"


class QuietTable(Table):
    since: Clock = Field(alias="from")
    to: Clock


class NoticesTable(Table):
    channels: Annotated[list[ChannelName], Field(min_length=1)]
    kinds: Annotated[list[NoticeName], Field(min_length=1)]
    quiet: QuietTable = QuietTable(**{"from": "20:00", "to": "07:00"})
    language: Literal["id", "en"] = "id"
    link: Literal["verify", "holder", "none"] = "holder"
    expiring_days: Annotated[int, Field(ge=1, le=365)] = 60
    texts: dict[NoticeName, Annotated[Text, Field(max_length=300)]] = {}


class OfficeFile(Table):
    code: Slug
    name: Text
    short_name: Text
    government: Text
    city: Text
    public_url: Url
    public_url_aliases: Annotated[list[Url], Field(max_length=20)] = []
    timezone: Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
    brand: Colour
    holder_name: Literal["full", "masked"] = "full"
    year_end: Literal["keep", "void"] = "keep"
    letterhead: LetterheadTable
    paper: PaperTable
    calendar: CalendarTable
    levels: LevelsTable = LevelsTable()
    certificate: CertificateTable
    signing: SigningTable = SigningTable()
    correction: CorrectionTable = CorrectionTable()
    qr: QrTable = QrTable()
    notices: NoticesTable | None = None
    roles: dict[Name, RoleTable]
    people: list[PersonTable] = []
    series: dict[Name, SeriesTable]
    branches: dict[Slug, Name] = {}


# sop.toml


class LaterTable(Table):
    verb: VerbName
    after: Annotated[int, Field(ge=1)]


class ReplacedTable(Table):
    sentence: Text
    adr: Adr


class RowTable(Table):
    no: Annotated[int, Field(ge=1, le=99)]
    branch: Name | None = None
    text: Text
    actor: Name
    by: Name | None = None
    verb: VerbName
    acts: Annotated[list[VerbName], Field(min_length=1)] | None = None
    later: Annotated[list[LaterTable], Field(min_length=1)] | None = None
    how: Literal["attested", "done", "replaced"]
    standard: Text | None = None
    output: Text | None = None
    replaced: ReplacedTable | None = None


class SopTable(Table):
    code: Mark
    number: Text
    title: Text
    total: Text | None = None
    clock: Literal["complete", "apply"] = "complete"
    branch: Name | None = None
    branches: Annotated[list[Name], Field(min_length=1)] | None = None


class SopFile(Table):
    sop: SopTable
    row: Annotated[list[RowTable], Field(min_length=1, max_length=99)]


# fields.toml


class TypeTable(Table):
    code: Slug
    name: Text
    title: Text
    profession: Text
    document_code: Mark
    classification: Mark
    series: Name
    places: Annotated[int, Field(ge=1, le=12)]
    request_kinds: Annotated[list[Literal["BARU", "PERPANJANGAN", "PERUBAHAN", "CABUT_PINDAH"]], Field(min_length=1)]
    survey_gate: bool
    max_pages: Annotated[int, Field(ge=1, le=20)] = 1


class ValidityTable(Table):
    years: Annotated[int, Field(ge=1, le=20)]
    cap_at_str: bool
    inclusive_end: bool


class PhotoTable(Table):
    ratio: Literal["3x4", "4x6"]
    required: bool


class FieldTable(Table):
    path: Path
    label: Text
    kind: KindName
    required: bool = True
    printed: bool = True
    public: bool = False
    max_length: Annotated[int, Field(ge=1, le=1000)] | None = None
    choices: Annotated[list[Text], Field(min_length=1)] | None = None
    minimum: int | None = None
    maximum: int | None = None
    sample: Any


class RequirementTable(Table):
    code: Name
    text: Text
    required: bool = True


class LegalBasisTable(Table):
    text: Text
    since: date | None = None
    until: date | None = None


class WordsTable(Table):
    clauses: list[Text]
    copies: list[Text] = []


class FieldsFile(Table):
    type: TypeTable
    validity: ValidityTable
    photo: PhotoTable | None = None
    field: list[FieldTable]
    requirement: Annotated[list[RequirementTable], Field(min_length=1)]
    legal_basis: Annotated[list[LegalBasisTable], Field(min_length=1)]
    paper: WordsTable
