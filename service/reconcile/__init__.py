"""Finds what a database that was put back has lost, and enters it again, while the gate before the register is closed (ADR 0053)."""

from service.reconcile.enter import Entered, enter
from service.reconcile.plan import Plan, plan
from service.reconcile.told import Told, TraceUnreadable, read

__all__ = ["Entered", "Plan", "Told", "TraceUnreadable", "enter", "plan", "read"]
