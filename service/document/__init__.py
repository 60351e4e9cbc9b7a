"""From an approved case to the bytes of its paper: composed, rehearsed, typeset. Signs nothing and stores nothing."""

from service.document.errors import DoesNotFit, PhotoInvalid, RehearsalFailed, TypesettingFailed
from service.document.page import Labels, Page, Signatory, compose, field_values, labels_of
from service.document.typeset import Typeset, Typesetter

__all__ = [
    "DoesNotFit",
    "Labels",
    "Page",
    "PhotoInvalid",
    "RehearsalFailed",
    "Signatory",
    "Typeset",
    "Typesetter",
    "TypesettingFailed",
    "compose",
    "field_values",
    "labels_of",
]
