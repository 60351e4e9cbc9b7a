"""Logs go to stderr, one JSON object a line: what a command prints stays its own. Nothing personal is ever passed to a logger."""

from __future__ import annotations

import sys

import structlog


def log_to_stderr() -> None:
    """Configure structlog once for this process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # stderr as it is when the line is written
    )
