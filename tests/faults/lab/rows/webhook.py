"""The receiver is away for a day, says no, talks nonsense or hangs up; the sender dies before and after a letter."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress

from tests.faults.lab.bench import Bench
from tests.faults.lab.machines import KINDS, Machine
from tests.faults.lab.scene import Row, Scene
from tests.faults.oracle import read
from tests.webhooks.receiver import OK, receiving, said

KIND = KINDS[:1]
MOODS = {
    "500": said(500),
    "404": said(404),
    "429": said(429, "Retry-After: 3600"),
    "redirects": said(302, "Location: http://127.0.0.1/"),
    "nonsense": b"\x00\x01 apa?\r\n\r\n",
    "hangs up": b"",
}
FOR = {"once": 1, "an hour": 5, "a day": 25}


def scenes(_bench: Bench, _engine: str, _seed: int) -> Sequence[str]:
    """Each mood for each time; each named point at some letters."""
    dies = [f"killed at webhook.{point}:{letter}" for point in ("before_send", "after_send") for letter in (1, 2, 5, 9)]
    return [*(f"{mood} for {time}" for mood in MOODS for time in FOR), *dies]


def play(bench: Bench, scene: Scene) -> None:
    """Work while the receiver is so; every event reaches it in the end, under its one id and in order."""
    mood, _, time = scene.name.partition(" for ")
    left, taken = [FOR.get(time, 0)], []

    def answer(line: socket.socket) -> None:
        with suppress(OSError):
            if left[0]:
                left[0] -= 1
                line.sendall(MOODS[mood])
                return
            taken.append(receiver.got[-1])
            line.sendall(OK)

    with bench.office(scene.engine) as office, receiving(answer) as receiver:
        hooks = {"UJI_WEBHOOK": receiver.url, "TEKEN_WEBHOOK_NETWORKS": "127.0.0.0/8"}
        machine = Machine(bench, office, KIND, **hooks)
        scene.fault(scene.name)
        if not time:
            point = scene.name.removeprefix("killed at ")
            scene.expect(machine.died(point), f"never died at {point}: {machine.said()}")
        machine.to_the_end(scene)
        stored = {event["id"]: event["seq"] for event in read(office.store)["events"] if event["client"]}
        own = {one: seq for one, seq in stored.items() if one in {event["id"] for event in _heard(office)}}
        got = list(dict.fromkeys(one.id for one in taken))
        scene.expect(set(own) <= set(got), f"{len(set(own) - set(got))} events never came")
        scene.expect(set(got) <= set(stored), "an event came that the journal does not know")
        order = [stored[one] for one in got if one in stored]
        scene.expect(order == sorted(order), f"not in order: {order}")


def _heard(office) -> list[dict]:
    from tests.faults.poster import lines

    return lines(office.folder / "feed")


ROW = Row(
    "webhook",
    "a receiver that answers 500, 404, 429, a redirect, nonsense or nothing, once, for an hour, for a day; SIGKILL around a letter",
    "every event comes, under its id, in order; no permit waits for it",
    scenes,
    play,
)
