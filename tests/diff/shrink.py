# SPDX-License-Identifier: BSD-3-Clause
"""Makes a failing sequence small: delta debugging on its steps, then on their arguments.

The test is a function from a sequence to a Mismatch or None; a smaller sequence counts when it
fails in the same way (Mismatch.signature).
"""

import time

from grammar import tame


def shrink(sequence, mismatch, test, limit_s=15.0):
    """The smallest failing (sequence, mismatch) found in the time given."""
    end = time.monotonic() + limit_s
    wanted = mismatch.signature

    def fails(steps, config=None):
        trial = sequence.with_steps(steps)
        trial.config = sequence.config if config is None else config
        found = test(trial)
        return found if found and found.signature == wanted else None

    steps = sequence.steps[:mismatch.index + 1]
    again = fails(steps)
    if not again:
        return sequence.with_steps(steps), mismatch, False
    best = again
    steps = steps[:again.index + 1]
    units = _units(steps)
    size = max(1, len(units) // 2)
    while time.monotonic() < end:
        at = 0
        smaller = False
        while at < len(units) and time.monotonic() < end:
            trial = units[:at] + units[at + size:]
            found = fails([step for unit in trial for step in unit]) if trial else None
            if found:
                units, best, smaller = trial, found, True
            else:
                at += size
        if size == 1 and not smaller:
            break
        size = max(1, min(size // 2, len(units)))
    steps = [step for unit in units for step in unit][:best.index + 1]
    config = sequence.config
    for name in list(config):
        rest = {k: v for k, v in config.items() if k != name}
        if time.monotonic() < end + 3 and fails(steps, rest):
            config = rest
    sequence = sequence.with_steps(steps)
    sequence.config = config
    steps, best = _arguments(steps, best, fails, end + 5)
    return sequence.with_steps(steps), best, True


def _units(steps):
    """Steps with the pauses that belong to them: without its pause a step is another one."""
    units = []
    for step in steps:
        if step[1][0] == b'~sleep' and units:
            units[-1].append(step)
        else:
            units.append([step])
    return units


def _arguments(steps, best, fails, end):
    """Drops and simplifies arguments, and puts everything on one connection."""
    simpler = [[(0, step[1]) for step in steps]]
    if any(step[0] for step in steps):
        found = fails(simpler[0])
        if found:
            steps, best = simpler[0], found
    for index in range(len(steps) - 1, -1, -1):
        at = len(steps[index][1]) - 1
        if steps[index][1][0] in (b'~sleep', b'~guard') or b'PAUSE' in steps[index][1]:
            continue
        while at >= 1 and time.monotonic() < end:
            conn, args = steps[index]
            trials = []
            for width in (2, 1):
                if at + width <= len(args):
                    trials.append(args[:at] + args[at + width:])
            if len(args[at]) > 8:
                trials.append(args[:at] + [b'a'] + args[at + 1:])
            for trial in trials:
                changed = steps[:index] + [(conn, trial)] + steps[index + 1:]
                if tame(list(trial)) != trial:
                    continue
                found = fails(changed)
                if found:
                    steps, best = changed, found
                    break
            at -= 1
    return steps, best
