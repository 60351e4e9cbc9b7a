"""What a document says about itself (Info, XMP, version, extensions) may be brought up to date, not made to say something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pikepdf
from lxml import etree  # type: ignore[import-untyped]  # no stubs are installed for it

_MAY_CHANGE: Final = {"/ModDate", "/Producer", "/CreationDate"}
_XMP_MAY_CHANGE: Final = {
    "ModifyDate",
    "MetadataDate",
    "Producer",
    "InstanceID",
    "CreateDate",
    "format",
    "xmptk",
    "about",
}

_GRAMMAR: Final = ("{http://www.w3.org/1999/02/22-rdf-syntax-ns#", "{http://www.aiim.org/pdfa/ns/")
"""How statements are written and which there may be: a writer may put that in other words."""


def same_record(before: pikepdf.Pdf, after: pikepdf.Pdf, *, frozen: bool) -> bool:
    """Whether title, author and all that were there still say the same; `frozen`: nothing may have been added either.

    Raises ValueError or PdfError for metadata that can't be read.
    """
    return (
        _kept(_info(before), _info(after), frozen=frozen)
        and _said(_metadata(before), _metadata(after), frozen=frozen)
        and _kept(_extensions(before), _extensions(after), frozen=False)
        and (not frozen or str(before.Root.get("/Version")) == str(after.Root.get("/Version")))
    )


def _kept(one: dict[str, str], other: dict[str, str], *, frozen: bool) -> bool:
    return one == other if frozen else all(other.get(key) == value for key, value in one.items())


def _said(one: Counter[str], other: Counter[str], *, frozen: bool) -> bool:
    return one == other if frozen else one <= other


def _info(document: pikepdf.Pdf) -> dict[str, str]:
    info: Any = document.trailer.get("/Info", {})
    return {key: str(value) for key, value in info.items() if key not in _MAY_CHANGE}


def _metadata(document: pikepdf.Pdf) -> Counter[str]:
    """Every statement of the XMP, wherever it stands: writers order and nest it anew."""
    if "/Metadata" not in document.Root:
        return Counter()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    root = etree.fromstring(document.Root.Metadata.read_bytes(), parser)
    return Counter(statement for element in root.iter(etree.Element) for statement in _statements(element))


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _property(element: Any) -> bool:
    return not str(element.tag).startswith(_GRAMMAR)


def _statements(element: Any) -> Iterator[str]:
    said = {str(key): str(value) for key, value in element.attrib.items()}
    tag = element if _name(element) != "li" else next((up for up in element.iterancestors() if _property(up)), element)
    said[str(tag.tag)] = element.text or ""
    for key, value in said.items():
        space, _, name = key.rpartition("}")
        if value.strip() and name not in _XMP_MAY_CHANGE and not space.startswith(_GRAMMAR):
            yield f"{key}={value.strip()}"


def _extensions(document: pikepdf.Pdf) -> dict[str, str]:
    extensions: Any = document.Root.get("/Extensions", {})
    return {key: value.unparse(resolved=True).decode("latin-1") for key, value in extensions.items()}
