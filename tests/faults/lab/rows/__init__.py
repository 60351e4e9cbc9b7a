"""The rows of the fault table, in the order in which they are told."""

from __future__ import annotations

from tests.faults.lab.rows import disk, kill, locked, network, postgres, redis
from tests.faults.lab.scene import Row

ROWS: tuple[Row, ...] = (kill.ROW, redis.ROW, postgres.CRASHES, postgres.HANGS, network.ROW, locked.ROW, disk.ROW)
