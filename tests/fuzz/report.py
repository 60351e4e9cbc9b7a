"""What a run says at its end: one table, the slowest files, and what is wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.run import Tally


def table(tally: Tally, seconds: float) -> str:
    """Files, the share that reached validation, and verdicts, by level."""
    lines = [f"{'level':<11}{'files':>8}{'validated':>11}  verdicts"]
    for level in sorted(tally.cases):
        share = tally.reached[level] / tally.cases[level]
        lines.append(f"{level:<11}{tally.cases[level]:>8}{share:>11.1%}  {_histogram(tally.verdicts[level])}")
    together = sum(tally.verdicts.values(), Counter())
    lines.append(f"{'all':<11}{tally.total:>8}{tally.share:>11.1%}  {_histogram(together)}")
    lines.append(
        f"{seconds:.0f} s; {1000 * tally.seconds / max(1, tally.total):.0f} ms of processor time a file;"
        f" {tally.whole} also the whole way; {len(tally.died)} ended their process"
    )
    lines.append("Slowest (seconds of processor time):")
    lines += [
        f"  {one['seconds']:7.2f}  {one['number']:>7}  {one['mutator']:<24}{one['seed']}" for one in tally.slowest
    ]
    return "\n".join(lines)


def failures(tally: Tally, least: float) -> list[str]:
    """What must not be. A file that ended its process is none if the cage made it `undetermined`: that is what the cage is for."""
    wrong = [_named(one) for one in tally.findings]
    wrong += [_named(one) for one in tally.died if one["problem"] != "died"]
    if tally.share < least:
        wrong.append(f"Only {tally.share:.1%} of the files reached validation, {least:.0%} are wanted: {_lazy(tally)}")
    return wrong


def _named(one: dict[str, object]) -> str:
    what = f"{one['problem']}: {one['verdict']} {one['reasons']}"
    return f"FINDING {one['number']} {one['level']}.{one['mutator']} on {one['seed']}: {what}\n  make fuzz REPLAY={one['file']}"


def _histogram(verdicts: Counter[str]) -> str:
    return ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())


def _lazy(tally: Tally) -> str:
    """The mutators that waste most files."""
    wasted = sorted(tally.mutators.items(), key=lambda one: one[1][1] - one[1][0])[:5]
    return ", ".join(f"{name} {reached}/{count}" for name, (count, reached) in wasted)
