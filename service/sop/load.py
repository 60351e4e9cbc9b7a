"""Offices and their permit types from files: the whole tree at start, or one case's pinned files again.

Both go through the same code over a mapping of relative path to bytes, so a pinned case reads as it did on its day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from service.sop import pattern
from service.sop.backends import DRAWS, lacks, last_backend, refusals
from service.sop.faults import Faults, OfficeInvalid, SopFault
from service.sop.model import OfficeCode, TypeCode
from service.sop.office import read_office, refuse_repeated
from service.sop.permit_type import read_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from service.sop.model import Office, PermitType
    from service.sop.office import OfficeRead

SHARED: Final = "_shared"
_FOLDER: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_QR_LETTERS: Final = 100
"""Of office, document code and number together, so that a QR with its own data stays readable beside the longest name."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every office and permit type of a tree, all of them sound. Iterates over the types."""

    offices: Mapping[OfficeCode, Office]
    permit_types: Mapping[tuple[OfficeCode, TypeCode], PermitType]

    def office(self, code: str) -> Office:
        """Raises KeyError for an unknown office."""
        return self.offices[OfficeCode(code)]

    def permit_type(self, office: str, code: str) -> PermitType:
        """Raises KeyError for an unknown office or type."""
        return self.permit_types[OfficeCode(office), TypeCode(code)]

    def types(self, office: str) -> tuple[PermitType, ...]:
        return tuple(one for one in self.permit_types.values() if one.office == office)

    def __iter__(self) -> Iterator[PermitType]:
        return iter(self.permit_types.values())


def load_offices(root: Path) -> Catalogue:
    """All offices under `root`. Raises OfficeInvalid with every fault of every file, and for every file that is missing."""
    files = tree(root)
    catalogue, faults = read_offices(files)
    faults += [fault for one in catalogue for fault in missing(files, one.office, one.code)]
    if faults:
        raise OfficeInvalid(faults)
    return catalogue


def load_bundle(files: Mapping[str, bytes], office: str, type: str) -> tuple[Office, PermitType]:  # noqa: A002 - the domain's word
    """One office and type from the files of `bundle_files`. Raises OfficeInvalid."""
    found = [Faults(f"{office}/office.toml")]
    read = read_office(files, office, found[0])
    permit_type = read_type(files, f"{office}/{type}", read, found)
    if read is not None and permit_type is not None:
        _check_use(read, [permit_type], found[0])
    faults = _all(found)
    if faults or read is None or permit_type is None:
        raise OfficeInvalid(faults)
    return read.office, permit_type


def bundle_files(root: Path, office: str, type: str) -> dict[str, bytes]:  # noqa: A002 - the domain's word
    """Exactly the files that pin a case: the office's, its emblem, the type's folder, and all shared parts.

    Raises OfficeInvalid when the page or the emblem is missing, since nothing could be typeset from the rest.
    """
    files = tree(root)
    own = {f"{office}/office.toml", f"{office}/{_emblem(files, office)}"}
    kept = {
        path: content
        for path, content in files.items()
        if path in own or path.startswith((f"{office}/{type}/", f"{SHARED}/"))
    }
    load_bundle(kept, office, type)
    faults = missing(kept, office, type)
    if faults:
        raise OfficeInvalid(faults)
    return kept


def tree(root: Path) -> dict[str, bytes]:
    """Every file below `root` by its path with slashes, in order; hidden files and folders are left out."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    names = {path: path.relative_to(root) for path in paths}
    return {
        name.as_posix(): path.read_bytes()
        for path, name in names.items()
        if not any(part.startswith((".", "__")) for part in name.parts)
    }


def read_offices(files: Mapping[str, bytes]) -> tuple[Catalogue, list[SopFault]]:
    """Whatever is sound, and every fault: `check` goes on with the former."""
    offices: dict[OfficeCode, Office] = {}
    types: dict[tuple[OfficeCode, TypeCode], PermitType] = {}
    faults: list[SopFault] = []
    for folder in folders(files):
        office, office_types, office_faults = _read_folder(files, folder)
        faults += office_faults
        if office is not None:
            offices[office.code] = office
            types |= {(office.code, one.code): one for one in office_types}
    return Catalogue(offices, types), faults


def folders(files: Mapping[str, bytes], below: str = "") -> list[str]:
    """The folders right below another, without those that begin with an underscore."""
    names = {
        path.removeprefix(below).split("/")[0] for path in files if path.startswith(below) and "/" in path[len(below) :]
    }
    return sorted(name for name in names if not name.startswith("_"))


def missing(files: Mapping[str, bytes], office: str, type: str) -> list[SopFault]:  # noqa: A002 - the domain's word
    """Faults for the parts that only typesetting needs: the page, the emblem and the fonts."""
    found: list[Faults] = []
    fonts = [path for path in files if re.fullmatch(rf"{SHARED}/fonts/.+\.(otf|ttf)", path)]
    emblems = [f"{office}/{_emblem(files, office)}", f"{SHARED}/{_emblem(files, office)}"]
    for path, there in (
        (f"{office}/{type}/permit.typ", f"{office}/{type}/permit.typ" in files),
        (emblems[1], any(path in files for path in emblems)),
        (f"{SHARED}/fonts", bool(fonts)),
    ):
        if not there:
            found.append(Faults(path))
            found[-1].add("", "", "file_missing")
    return _all(found)


def _emblem(files: Mapping[str, bytes], office: str) -> str:
    """The emblem that the office names; the default when its file can't be read, which `load_bundle` reports."""
    read = read_office(files, office, Faults(f"{office}/office.toml"))
    return "emblem.svg" if read is None else read.office.emblem


def _read_folder(files: Mapping[str, bytes], folder: str) -> tuple[Office | None, list[PermitType], list[SopFault]]:
    found = [Faults(f"{folder}/office.toml")]
    _check_folder(folder, folder, found)
    read = read_office(files, folder, found[0])
    names = folders(files, f"{folder}/")
    if not names:
        found[0].add("", "", "no_types")
    types: list[PermitType] = []
    for name in names:
        _check_folder(name, f"{folder}/{name}", found)
        permit_type = read_type(files, f"{folder}/{name}", read, found)
        types += [permit_type] if permit_type is not None else []
    if read is None:
        return None, [], _all(found)
    _check_use(read, types, found[0])
    if len(types) == len(names):  # of a type that can't be read nothing is known
        _check_number_at_sign(read.office, types, found[0])
    for code in read.branches:
        if code not in names:
            found[0].add("branches", code, "branch_type", type=code)
    found += _same_numbers(read.office, types)
    if read.office.qr_offline:
        _check_qr(read.office, types, found[0])
    return read.office, types, _all(found)


def _check_folder(name: str, path: str, found: list[Faults]) -> None:
    if _FOLDER.fullmatch(name) is None:
        found.append(Faults(path))
        found[-1].add("", "", "folder_name")


def _check_use(read: OfficeRead, types: list[PermitType], found: Faults) -> None:
    """What a type's procedure asks of its office."""
    for one in types:
        chosen = read.branches.get(one.code)
        if chosen is not None and chosen != one.procedure.branch:
            found.add("branches", one.code, "branch_unknown", branch=chosen)
        if one.procedure.sealed and read.office.seal_name is None:
            found.add("certificate", "seal", "seal_missing", type=one.code)
        if read.office.qr_offline and lacks(drawing := last_backend(one.procedure, read.office.signing), DRAWS):
            found.add("qr", "offline", "qr_picture", type=one.code, backend=drawing)
        for refusal in refusals(one.procedure, read.office.signing):  # such a procedure never starts
            found.add(refusal.table, refusal.key, refusal.code, type=one.code, **refusal.params)


def _check_number_at_sign(office: Office, types: list[PermitType], found: Faults) -> None:
    """A choice that changes nothing was meant for another office, or its SOP was misread."""
    if office.signing.number_at_sign and not any(one.procedure.number_at_sign for one in types):
        found.add("signing", "number_at_sign", "number_at_sign_needless")


def _check_qr(office: Office, types: list[PermitType], found: Faults) -> None:
    """What a QR has room for, and names a type by."""
    refuse_repeated([one.document_code for one in types], "qr", "offline", found)
    for one in types:
        longest = pattern.longest(
            office.series[one.series].pattern, 6, klas=one.classification, type=one.document_code, place=one.places
        )
        if len(office.code) + len(one.document_code) + len(longest) > _QR_LETTERS:
            found.add("qr", "offline", "qr_long", type=one.code, limit=_QR_LETTERS)


def _same_numbers(office: Office, types: list[PermitType]) -> list[Faults]:
    """Types with different counters must not be able to print the same number."""
    found: list[Faults] = []
    for one, other in combinations(types, 2):
        shared = one.series == other.series and office.series[one.series].scope == "office"
        if not shared and _shape(office, one) == _shape(office, other):
            found.append(Faults(f"{office.code}/{other.code}/fields.toml"))
            found[-1].add("type", "document_code", "pattern_same", other=one.code)
    return found


def _shape(office: Office, one: PermitType) -> str:
    return pattern.shape(office.series[one.series].pattern, klas=one.classification, type=one.document_code)


def _all(found: list[Faults]) -> list[SopFault]:
    return sorted({fault for faults in found for fault in faults.found})
