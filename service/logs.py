"""Logs go to stderr: text for people, or one JSON object a line (`TEKEN_LOG=json`). What a command prints stays its own.

Nothing personal is ever passed to a logger. Foreign libraries' messages may quote what they choked on: of them only the place is told.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final

import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor

JSON: Final = "json"
_FRAMES = 8
_log = structlog.get_logger("teken")


def log_to_stderr(form: str = "text", process: str = "") -> None:
    """Configure logging once for this process, whose name each line tells."""

    def _name(_logger: Any, _method: str, line: EventDict) -> EventDict:
        if process:
            line["process"] = process
        return line

    structlog.configure(
        processors=[
            merge_contextvars,
            structlog.processors.add_log_level,
            _name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _written(form),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # stderr as it is when the line is written
    )
    root = logging.getLogger()
    if not any(isinstance(one, _Foreign) for one in root.handlers):
        root.addHandler(_Foreign(logging.WARNING))


def tell_deaths() -> None:
    """Whatever ends this process or one of its threads is a line too; a traceback would quote what it was working on."""
    import threading

    sys.excepthook = lambda kind, error, _: _died(kind, error)
    threading.excepthook = lambda told: _died(told.exc_type, told.exc_value)


def where(error: BaseException) -> list[str]:
    """Return the innermost frames of an exception, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-_FRAMES:]]


def json_line(line: Mapping[str, Any]) -> str:
    """Return a line as JSON, as `TEKEN_LOG=json` writes it."""
    return json.dumps(line, ensure_ascii=False, default=str)


class _Foreign(logging.Handler):
    """What other libraries log: who and where, never what."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it as a line of ours."""
        level = logging.getLevelName(record.levelno).lower()
        _log.log(record.levelno, "foreign", logger=record.name, of=level, where=f"{record.module}:{record.lineno}")


def _written(form: str) -> Processor:
    if form == JSON:
        return structlog.processors.JSONRenderer(serializer=lambda line, **_: json_line(line))
    return structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)


def _died(kind: type[BaseException], error: BaseException | None) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        _log.critical("process_failed", error=kind.__qualname__, where=where(error) if error is not None else [])
