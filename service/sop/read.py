"""Bytes to a checked TOML file: UTF-8, syntax and shape, every fault with its place. Nothing else ever escapes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.sop.faults import Faults
    from service.sop.schema import Table

Shape = TypeVar("Shape", bound="Table")


def read(files: Mapping[str, bytes], faults: Faults, shape: type[Shape]) -> Shape | None:
    """The file of `faults` in its shape, or None with faults added."""
    content = files.get(faults.file)
    if content is None:
        faults.add("", "", "file_missing")
        return None
    tree = _parse(content, faults)
    if tree is None:
        return None
    try:
        return shape.model_validate(tree)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            faults.add_shape(detail)
        return None


def _parse(content: bytes, faults: Faults) -> dict[str, object] | None:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        faults.add("", "", "not_utf8")
    except (ValueError, RecursionError) as error:  # ValueError: syntax, or an integer of thousands of digits
        faults.add("", "", "not_toml", why=str(error) or type(error).__name__)
    return None
