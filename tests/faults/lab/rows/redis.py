"""Redis emptied, hanging, dead, and back without a memory: it rings the bell and holds nothing."""

from __future__ import annotations

from tests.faults.lab.bench import Bench
from tests.faults.lab.drills import drilling, nothing, storm
from tests.faults.lab.scene import Row, Scene, numbered

ROUNDS = 6


def play(bench: Bench, scene: Scene, rounds: int = ROUNDS) -> None:
    """Trouble of every kind in turn by chance; posting never waits for it."""
    redis = bench.redis
    troubles = (
        ("FLUSHALL", redis.forget, nothing),
        ("hangs", redis.pause, redis.go_on),
        ("is killed and comes back empty", redis.stop, redis.start),
        ("is emptied, killed and back", lambda: (redis.forget(), redis.stop()), redis.start),
    )
    with drilling(bench, scene, redis_url=redis.url) as drill:
        storm(scene, drill, rounds, troubles)
    scene.expect(max(drill.took) < 20, f"a post took {max(drill.took)} s")


ROW = Row(
    "redis",
    "FLUSHALL; SIGSTOP; SIGKILL and a start without any persistence, at any moment",
    "posts are answered at once, the sweep finds what no ring told",
    numbered(4),
    play,
)
