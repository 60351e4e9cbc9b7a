"""The rows of the fault table, in the order in which they are told."""

from __future__ import annotations

from tests.faults.lab.rows import (
    clock,
    disk,
    keys,
    kill,
    locked,
    moments,
    mutants,
    network,
    overtaken,
    poison,
    postgres,
    posts,
    redis,
    rot,
    signer,
    tsa,
    webhook,
)
from tests.faults.lab.scene import Row

ROWS: tuple[Row, ...] = (
    kill.ROW,
    moments.ROW,
    overtaken.ROW,
    redis.ROW,
    postgres.CRASHES,
    postgres.HANGS,
    network.ROW,
    locked.ROW,
    disk.ROW,
    rot.ROW,
    clock.ROW,
    poison.ROW,
    keys.ROW,
    signer.ROW,
    tsa.ROW,
    posts.ROW,
    webhook.ROW,
    mutants.ROW,
)
