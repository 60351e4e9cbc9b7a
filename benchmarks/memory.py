"""`python -m benchmarks.memory [PERMITS] [ENGINE]`: does the memory of the process that does all steps grow with the permits it made?

One process drains both queues, as `worker.py` does, and acts for everybody; its resident memory is read every 250 permits. After the
first fifth (caches, fonts, keys) it may grow by at most 1 KB a permit. Exits 1 where it grows by more.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from statistics import linear_regression

from benchmarks.__main__ import quieten
from benchmarks.office import NUMBER_AFTER, NUMBER_FIRST, OFFICES, bench, keys
from service.settings import Settings
from service.wiring import open_teken
from tests.support.servers import postgres_cluster

PERMITS, EVERY = 5_000, 250
MOST_KB = 1.0


def measure(folder: Path, url: str, permits: int) -> list[tuple[int, int]]:
    """Make the permits; return (permits made, resident kilobytes) again and again."""
    teken = open_teken(Settings(home=folder, keys=keys("p256"), database_url=url), signing=True, offices=OFFICES)
    benches = [bench(teken, order) for order in (NUMBER_FIRST, NUMBER_AFTER)]
    seen = []
    for made in range(permits):
        one = benches[made % 2]
        one.play(one.post())
        if (made + 1) % min(EVERY, max(1, permits // 20)) == 0:
            seen.append((made + 1, _resident()))
            print(*seen[-1], "KB", flush=True)
    teken.close()
    return seen


def growth(seen: list[tuple[int, int]]) -> float:
    """Return kilobytes a permit, after the first fifth."""
    settled = seen[len(seen) // 5 :]
    return linear_regression([made for made, _ in settled], [kb for _, kb in settled]).slope


def _resident() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def main(arguments: list[str]) -> int:
    """Measure and judge."""
    permits = int(arguments[0]) if arguments else PERMITS
    quieten()
    postgresql = arguments[1:] == ["postgresql"]
    with (
        tempfile.TemporaryDirectory(prefix="teken-memory-") as folder,
        postgres_cluster() if postgresql else nullcontext() as server,
    ):
        slope = growth(measure(Path(folder), server.url(server.create()) if server else "", permits))
    print(f"{slope:.2f} KB a permit, at most {MOST_KB:g}: {'holds' if slope <= MOST_KB else 'does NOT hold'}")
    return 0 if slope <= MOST_KB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
