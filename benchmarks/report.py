"""The figures as tables, in a terminal and between the marks of docs/BENCHMARKS.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.against_plain import Duel
from benchmarks.figures import Ratio, Spread
from benchmarks.growth import EVEN, Growth
from benchmarks.signing import AT_MOST, FRAME, VISIBLE, Race
from benchmarks.stages import TOTAL, StageTable
from benchmarks.stopwatch import ELSEWHERE, STAGES
from benchmarks.tray import Tray
from service.settings import PROJECT

DOCUMENT = PROJECT / "docs" / "BENCHMARKS.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def stages(table: StageTable) -> str:
    """Milliseconds of CPU by stage and procedure; before it, how often the stage runs per permit if not once."""
    names = list(table.columns)
    rows = [[stage, *(_stage(table, name, stage) for name in names)] for stage in (*STAGES, ELSEWHERE, TOTAL)]
    return titled(
        f"CPU ms per permit: median (10th-90th percentile) of {table.rounds} permits", ["stage", *names], rows
    )


def duel(result: Duel) -> str:
    """Both ways to a signed page, and their ratio."""
    rows = [
        ["plain: typst + pyHanko as documented", _spread(result.plain)],
        ["Teken: typeset, prepare, sign, prove", _spread(result.ours)],
        ["**plain / Teken**", f"**{told(result.ratio)}**"],
    ]
    return titled(
        f"One numbered page to a signed PDF, RSA-2048, CPU ms, {result.rounds} each in turns", ["way", "CPU ms"], rows
    )


def race(result: Race) -> str:
    """Every candidate's cost of one signature, the ratios that were promised, and who could not run."""
    rows = [[name, _spread(cost), *_against(result, name)] for name, cost in result.spreads.items()]
    table = titled(
        f"One signature, RSA-2048, CPU ms, {result.rounds} rounds in turns, each with a paper of its own",
        ["what", "CPU ms", "times Teken, visible", "times Teken, a frame"],
        rows,
    )
    promised = [
        [above, below, told(result.ratios[above, below]), f"{most:g}", _held(result.ratios[above, below], most)]
        for (above, below), most in AT_MOST.items()
    ]
    kept = titled("What is promised of it", ["what", "by", "ratio", "at most", ""], promised)
    absent = [f"**Not measured**: {name}: {why} (`scripts/peers` installs it)." for name, why in result.missing.items()]
    return "\n\n".join([table, kept, *absent])


def _against(result: Race, name: str) -> list[str]:
    found = [result.ratios.get((name, ours)) for ours in (VISIBLE, FRAME)]
    return [told(one) if one else "" for one in found]


def _held(measured: Ratio, most: float) -> str:
    if measured.high <= most:
        return "holds"
    return "does not hold" if measured.low > most else "undecided"


def growth(result: Growth) -> str:
    """The database's side of a permit by register size."""
    rows = []
    for size, cpu in result.cpu.items():
        against = [told(ratios[size]) if size in ratios else "1" for ratios in (result.cpu_ratios, result.wall_ratios)]
        rows.append([f"{size:,}", _spread(cpu), against[0], _spread(result.wall[size]), against[1]])
    even = f"{'all' if result.even else 'NOT all'} CPU intervals lie within {EVEN[0]}-{EVEN[1]}"
    heads = ["permits there", "CPU ms", "ratio", "wall ms", "ratio"]
    return titled(f"Database side of two permits, one of each order; {result.rounds} rounds; {even}", heads, rows)


def tray(results: dict[str, Tray]) -> str:
    """Permits per second of wall time, one process."""
    rows = [
        [name, str(one.size), f"{one.size / one.prepared:.1f}", f"{one.size / one.issued:.1f}"]
        for name, one in results.items()
    ]
    heads = ["order", "permits", "posted → before the head", "his order → in force"]
    return titled("A tray in one process, permits per second of wall time", heads, rows)


def write(tables: Sequence[str], document: Path = DOCUMENT) -> None:
    """Put the tables between the document's marks."""
    text = document.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    figures = "\n\n".join([BEGIN, *tables, END])
    document.write_text(before + figures + after, encoding="utf-8")


def _stage(table: StageTable, column: str, stage: str) -> str:
    found = table.columns[column].get(stage)
    if found is None:
        return ""
    times = table.calls[column].get(stage, 1)
    cell = (f"{times}x " if times > 1 else "") + _spread(found)
    return f"**{cell}**" if stage == TOTAL else cell


def _spread(seconds: Spread) -> str:
    middle, low, high = (f"{value * 1000:.1f}" for value in (seconds.median, seconds.p10, seconds.p90))
    return f"{middle} ({low}-{high})"


def told(found: Ratio) -> str:
    """Return a ratio with its interval."""
    return f"{found.value:.2f} (95 %: {found.low:.2f}-{found.high:.2f})"


def titled(title: str, heads: list[str], rows: list[list[str]]) -> str:
    """Return a table under its heading."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    rule = ["-" * width for width in widths]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in [heads, rule, *rows]
    ]
    return "\n".join([f"### {title}", "", *lines])
