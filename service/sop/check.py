"""`teken office check`: everything that can be known about offices before the first case arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from service.sop.faults import Faults, SopFault
from service.sop.load import bundle_files, missing, read_offices, tree
from service.sop.model import Office, PermitType

if TYPE_CHECKING:
    from pathlib import Path

# Typesets a type with its samples and answers what is wrong with the page, in Indonesian; injected, since
# this package knows no typesetter.
TemplateCheck: TypeAlias = Callable[[Mapping[str, bytes], Office, PermitType], Iterable[str]]


def check(root: Path, *, template_check: TemplateCheck | None = None) -> list[SopFault]:
    """List every fault of every file below `root`, sorted. Pages are tried only where the data is sound."""
    files = tree(root)
    catalogue, faults = read_offices(files)
    for one in catalogue:
        gone = missing(files, one.office, one.code)
        faults += gone
        if template_check is not None and not gone:
            faults += _page(template_check, root, catalogue.office(one.office), one)
    return sorted(set(faults))


def _page(template_check: TemplateCheck, root: Path, office: Office, one: PermitType) -> list[SopFault]:
    found = Faults(f"{office.code}/{one.code}/permit.typ")
    for why in template_check(bundle_files(root, office.code, one.code), office, one):
        found.add("", "", "template", why=why)
    return found.found
