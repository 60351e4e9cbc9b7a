"""What the service says of itself: its contract, its problems, its health. No key needed."""

from __future__ import annotations

from flask import Blueprint, Response

from service import problems, queries
from service.errors import NotFound
from service.web import teken
from service.web.answers import as_json, as_page
from service.web.openapi import REFUSALS, openapi
from service.web.problems import answer, language

about = Blueprint("about", __name__, template_folder="templates")


@about.get("/api/openapi.json")
def get_openapi() -> Response:
    """Give the contract to tools."""
    return as_json(openapi(tuple(teken().offices)))


@about.get("/api/")
def read_openapi() -> Response:
    """Show the contract to people."""
    words = {"refusals": REFUSALS, "faults": problems.fault_texts()}
    return as_page("api.html", "en", api=openapi(tuple(teken().offices)), **words)


@about.get("/problems/<code>")
def read_problem(code: str) -> Response:
    """Answer the `type` of a problem: what it means and what to do."""
    if code not in problems.problem_texts():
        raise NotFound
    words = problems.problem(code, {}, language())
    return as_page("problem_type.html", language(), code=code, words=words)


@about.get("/healthz")
def healthz() -> Response:
    """Tell that the process answers."""
    return as_json({"status": "ok"})


@about.get("/readyz")
def readyz() -> Response:
    """Tell whether it can work: for the load balancer."""
    checks = queries.ready(teken())
    if all(value is not False for value in checks.values()):
        return as_json({"status": "ok", "checks": checks})
    return answer(503, "not_ready", checks=checks)
