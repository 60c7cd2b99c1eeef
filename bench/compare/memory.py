# SPDX-License-Identifier: BSD-3-Clause
"""Bytes a key, member or field takes, as the server counts them and as the kernel does.

Tables grow in steps, so a figure at one size flatters some servers and not others: keys are
measured at several sizes between one and two million and the mean is given, with the extremes.
Resident size is read once, at the largest.
"""

import statistics
import time

from . import loadgen
from .servers import Server

SIZES = [1_000_000, 1_400_000, 2_000_000]
QUICK_SIZES = [1_000_000, 1_500_000]
PAGES_SETTLE_S = 3  # allocators give pages back in their own time

KEYS = [
    ("key 16 + value 32", "SET key:{seq} {value:32}"),
    ("the same with a TTL", "SETEX key:{seq} 86400 {value:32}"),
]
MEMBERS = [
    ("set member of 16", "SADD big mbr:{seq}"),
    ("hash field 16 + 16", "HSET big fld:{seq} {value:16}"),
    ("sorted-set member of 16", "ZADD big {rand:1000000000} mbr:{seq}"),
    ("list element of 16", "RPUSH big {value:16}"),
]


def measure(kind, template, sizes, cores):
    with Server(kind, cores[0]) as server:
        # The connections' buffers belong to no key: they are there before the first figure is read.
        loadgen.run(server, "PING", cores[1], pipeline=64, n=10_000)
        used, resident, at = server.settled_memory(), server.resident(), 0
        points = []
        for size in sizes:
            loadgen.run(server, template, cores[1], pipeline=64, n=size - at, S=at)
            at = size
            points.append((server.settled_memory() - used) / size)
        time.sleep(PAGES_SETTLE_S)
        resident = (server.resident() - resident) / at
    return {
        "used": statistics.mean(points), "used_low": min(points), "used_high": max(points),
        "rss": resident, "points": [{"size": s, "used": u} for s, u in zip(sizes, points)],
    }


def run(kinds, cores, quick, progress):
    """Returns {what: {server: figures}}."""
    results = {}
    rows = [(n, t, QUICK_SIZES if quick else SIZES) for n, t in KEYS]
    rows += [(n, t, [1_000_000]) for n, t in ([] if quick else MEMBERS)]
    for name, template, sizes in rows:
        progress(f"memory: {name}")
        results[name] = {kind.name: measure(kind, template, sizes, cores) for kind in kinds}
    return results
