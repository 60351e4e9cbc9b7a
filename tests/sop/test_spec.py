"""docs/OFFICES.md is the format's specification: its examples must have the shape that is loaded."""

import re
import tomllib
from pathlib import Path

import pytest

from service.sop.model import FieldKind, Verb
from service.sop.pattern import TOKENS
from service.sop.permit_type import ALWAYS
from service.sop.schema import FieldsFile, OfficeFile, SopFile

SPEC = (Path(__file__).parents[2] / "docs" / "OFFICES.md").read_text()
BLOCKS = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", SPEC, flags=re.S)]
EXAMPLES = list(zip(BLOCKS, (OfficeFile, SopFile, FieldsFile), strict=True))


@pytest.mark.parametrize(("block", "shape"), EXAMPLES)
def test_every_example_has_the_loaded_shape(block, shape):
    assert shape.model_validate(block)


@pytest.mark.parametrize(("block", "shape"), EXAMPLES)
def test_every_key_is_in_an_example(block, shape):
    """The keys of the top table and of each table below it."""
    tables = {name: field.annotation for name, field in shape.model_fields.items()}
    assert set(tables) == set(block)
    for name, kind in tables.items():
        keys = getattr(kind, "model_fields", None)
        if keys is not None:
            assert set(keys) == set(block[name]), name


def test_every_name_of_the_vocabulary_is_written_down():
    words = set(re.findall(r"[a-z_]+", SPEC))
    assert {verb.value for verb in Verb} <= words
    assert {kind.value for kind in FieldKind} <= words
    assert all(f"{{{token}}}" in SPEC for token in TOKENS)
    assert all(f"`{path}`" in SPEC for path in ALWAYS)
