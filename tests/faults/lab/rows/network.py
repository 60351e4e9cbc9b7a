"""A bad network before the engines: lines that hang, go mute, break, refuse and crawl; a worker host that is cut off and comes back."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.faults.lab.bench import Bench
from tests.faults.lab.drills import drilling, storm
from tests.faults.lab.scene import Row, Scene, numbered
from tests.support.proxy import Proxy, proxy_before

ROUNDS = 6
CUT_OFF = ("work2", "sign2")
"""Places on a host of their own, whose lines to the database may go while the others work on."""


def play(bench: Bench, scene: Scene) -> None:
    """With PostgreSQL behind the network where there is one; Redis always."""
    with ExitStack() as stack:
        redis = stack.enter_context(proxy_before(("127.0.0.1", bench.redis.port)))
        settings: dict[str, object] = {"redis_url": f"redis://127.0.0.1:{redis.port}/0", "busy_seconds": 1}
        drill = stack.enter_context(drilling(bench, scene, **settings))
        troubles = [*_troubles("Redis", redis)]
        if scene.engine == "postgresql":
            own = stack.enter_context(proxy_before(_socket(bench)))
            for place in CUT_OFF:
                drill.elsewhere[place] = {"TEKEN_DATABASE_URL": _through(drill.teken.settings.database_url, own)}
                drill.start(place)
            troubles += [*_troubles("PostgreSQL of one host", own)]
        storm(scene, drill, ROUNDS, troubles)


def _troubles(name: str, proxy: Proxy):
    yield f"{name}: nothing passes", proxy.hang, proxy.heal
    yield f"{name}: answers are held", proxy.mute, proxy.heal
    yield f"{name}: every line is reset", proxy.cut, proxy.heal
    yield f"{name}: refused", proxy.refuse, proxy.heal
    yield f"{name}: slow", partial(setattr, proxy, "delay", 0.1), proxy.heal
    yield f"{name}: an answer breaks off", partial(proxy.cut_answers_after, 700), proxy.heal


def _socket(bench: Bench) -> Path:
    return bench.postgres.folder / ".s.PGSQL.5432"


def _through(url: str, proxy: Proxy) -> str:
    name = url.removeprefix("postgresql:///").partition("?")[0]
    return f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}"


ROW = Row(
    "network",
    "a proxy before Redis, and before the PostgreSQL of one worker host: hang, mute, reset, refuse, delay, break off an answer",
    "the others take over when the lease ends; what comes back late has lost its claim",
    numbered(4),
    play,
)
