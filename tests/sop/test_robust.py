"""Whatever is in the files, loading gives an office or OfficeInvalid: never another exception."""

from hypothesis import given
from hypothesis import strategies as st

from service.sop import OfficeInvalid, load_bundle
from service.sop.load import read_offices
from tests.sop.contoh import files

PATHS = sorted(path for path in files() if path.endswith(".toml"))
VALUES = [
    "1",
    "-1",
    '""',
    '"x"',
    "true",
    "[]",
    "{}",
    "2026-01-01",
    "07:30:00",
    "1979-05-27T07:32:00Z",
    "nan",
    "1e99",
    '"\\u0000"',
    "[[]]",
]


def load(broken):
    """Both ways of loading. A type that loads alone may still clash with its neighbour, but never the other way round."""
    catalogue, faults = read_offices(broken)
    for code in ("izin-satu", "izin-dua"):
        told = _bundle_faults(broken, code)
        assert set(told) <= set(faults)
        assert told or catalogue.permit_type("contoh", code).code == code


def _bundle_faults(broken, code):
    try:
        office, permit_type = load_bundle(broken, "contoh", code)
    except OfficeInvalid as invalid:
        return invalid.faults
    return () if (office.code, permit_type.code) == ("contoh", code) else None


@given(st.sampled_from(PATHS), st.data())
def test_bytes_are_cut_and_joined(path, data):
    content = files()[path]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    load(files() | {path: content[:start] + data.draw(st.binary(max_size=6)) + content[end:]})


@given(st.sampled_from(PATHS), st.data())
def test_a_line_is_lost_doubled_or_moved(path, data):
    lines = files()[path].decode().splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    line = lines.pop(index)
    for _ in range(data.draw(st.integers(0, 2))):
        lines.insert(data.draw(st.integers(0, len(lines))), line)
    load(files() | {path: "\n".join(lines).encode()})


@given(st.sampled_from(PATHS), st.sampled_from(VALUES), st.data())
def test_a_value_becomes_another(path, value, data):
    lines = files()[path].decode().splitlines()
    index = data.draw(st.sampled_from([number for number, line in enumerate(lines) if " = " in line]))
    lines[index] = f"{lines[index].split(' = ')[0]} = {value}"
    load(files() | {path: "\n".join(lines).encode()})


@given(st.sampled_from(PATHS), st.sampled_from(PATHS))
def test_one_file_in_the_place_of_another(path, other):
    load(files() | {path: files()[other]})


@given(
    st.sampled_from(PATHS),
    st.sampled_from(PATHS),
    st.sampled_from(["verb", "no", "after", "acts", "branch"]),
    st.data(),
)
def test_values_of_one_key_are_exchanged(path, other, key, data):
    """Sound values in wrong places: what only the plan can refuse."""
    donors = [line.split(" = ", 1)[1] for line in files()[other].decode().splitlines() if line.startswith(f"{key} = ")]
    lines = files()[path].decode().splitlines()
    places = [number for number, line in enumerate(lines) if line.startswith(f"{key} = ")]
    if donors and places:
        lines[data.draw(st.sampled_from(places))] = f"{key} = {data.draw(st.sampled_from(donors))}"
    load(files() | {path: "\n".join(lines).encode()})
