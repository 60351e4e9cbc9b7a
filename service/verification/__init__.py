"""The public's two answers, given apart: is the permit in force, and is a file authentic. Writes nothing.

What is said of a permit comes from the register and the database, never from a PDF.
"""

from service.verification.answers import (
    CONTENT,
    FileAnswer,
    FileSignature,
    PermitAnswer,
    PermitState,
    PublicOffice,
    PublicPermit,
    Verdict,
)
from service.verification.command import file_words, verify_file_command
from service.verification.file import MOST_BYTES, verify_file
from service.verification.offices import at_host
from service.verification.permit import by_code

__all__ = [
    "CONTENT",
    "MOST_BYTES",
    "FileAnswer",
    "FileSignature",
    "PermitAnswer",
    "PermitState",
    "PublicOffice",
    "PublicPermit",
    "Verdict",
    "at_host",
    "by_code",
    "file_words",
    "verify_file",
    "verify_file_command",
]
