"""`teken doctor`: tells what is well on this host and what is not, and what to do. Changes nothing, spends no attempt unasked."""

from service.doctor.findings import Finding, State
from service.doctor.rounds import CHECKS, examine
from service.doctor.view import Asked

__all__ = ["CHECKS", "Asked", "Finding", "State", "examine"]
