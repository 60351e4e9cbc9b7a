"""Offices and SOPs as data: loaded, checked whole, and compiled to plans. Knows no framework, database or PDF."""

from service.sop.check import TemplateCheck, check
from service.sop.faults import OfficeInvalid, SopFault
from service.sop.load import Catalogue, bundle_files, load_bundle, load_offices
from service.sop.pattern import PatternInvalid, longest, period, render
from service.sop.plan import Plan, PlanRefused, compile_plan
from service.sop.standard import due_at, minutes_of, worked

__all__ = [
    "Catalogue",
    "OfficeInvalid",
    "PatternInvalid",
    "Plan",
    "PlanRefused",
    "SopFault",
    "TemplateCheck",
    "bundle_files",
    "check",
    "compile_plan",
    "due_at",
    "load_bundle",
    "load_offices",
    "longest",
    "minutes_of",
    "period",
    "render",
    "worked",
]
