"""The approved case: read strictly, kept in one canonical form, compared by revision. Pure Python, no framework."""

from service.cases.example import example
from service.cases.kept import diff, restore
from service.cases.model import LIFETIME, Accepted, Attestation, Case, CasePhoto, Provided, Value
from service.cases.parsing import address, parse_case
from service.cases.shape import schema
from service.cases.sheet import Sheet
from service.errors import CaseInvalid, Fault

__all__ = [
    "LIFETIME",
    "Accepted",
    "Attestation",
    "Case",
    "CaseInvalid",
    "CasePhoto",
    "Fault",
    "Provided",
    "Sheet",
    "Value",
    "address",
    "diff",
    "example",
    "parse_case",
    "restore",
    "schema",
]
