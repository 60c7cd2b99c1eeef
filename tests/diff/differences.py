# SPDX-License-Identifier: BSD-3-Clause
"""Every difference from the oracle that is meant, with its reason.

An entry accepts one kind of difference: its predicate is given the command, the oracle's reply
and ours, and says whether this is that difference.  Predicates are as narrow as they can be: a
wide one would hide mistakes.  A run ends by saying which entries were used and which were not.

`oracle` names the servers an entry is for; a difference from 7.0 that both newer servers share
is for 'redis7' alone.
"""

import math


class Difference:
    def __init__(self, name, reason, predicate, oracle=('redis7',)):
        self.name = name
        self.reason = reason
        self.predicate = predicate
        self.oracle = oracle
        self.used = 0


def _name(args):
    return args[0].upper()


def _sub(args):
    return args[1].upper() if len(args) > 1 else b''


def _encoding(args, pairs, expected, actual):
    return (_name(args) == b'OBJECT' and _sub(args) == b'ENCODING' and expected[0] == actual[0] and
            (expected[1], actual[1]) in pairs)


def _same_double(expected, actual):
    """The same number, ours written at most as long."""
    if expected[1] is None or actual[1] is None or expected[0] != actual[0]:
        return False
    try:
        a, b = float(expected[1]), float(actual[1])
    except (TypeError, ValueError):
        return False
    return (a == b and math.copysign(1, a) == math.copysign(1, b) and
            len(actual[1]) <= len(expected[1]))


def _doubles(expected, actual):
    """Both replies are equal but for how doubles are written."""
    if expected == actual:
        return True
    if expected[0] != actual[0]:
        return False
    if expected[0] in ',$':
        return b'.' in (expected[1] or b'') + b'e' and _same_double(expected, actual)
    if expected[0] in '*~>' and expected[1] and actual[1] and len(expected[1]) == len(actual[1]):
        return all(_doubles(a, b) for a, b in zip(expected[1], actual[1]))
    if expected[0] == '%' and len(expected[1]) == len(actual[1]):
        return all(_doubles(k, l) and _doubles(v, w)
                   for (k, v), (l, w) in zip(expected[1], actual[1]))
    return False


DIFFERENCES = [
    Difference(
        'listpack-list', 'Short lists are listpacks since 7.2; 7.0 calls every list a quicklist.',
        lambda args, e, a: _encoding(args, {(b'quicklist', b'listpack')}, e, a)),
    Difference(
        'listpack-set', 'Short sets of strings are listpacks since 7.2; 7.0 hashes them.',
        lambda args, e, a: _encoding(args, {(b'hashtable', b'listpack')}, e, a)),
    Difference(
        'shortest-doubles',
        'Scores are written in their shortest exact form, as since 7.2; 7.0 gives 17 digits.',
        lambda args, e, a: _name(args)[:1] in (b'Z', b'B', b'E') and _doubles(e, a)),
    Difference(
        'lpos-lowest-rank',
        'The lowest RANK is out of range, as in newer servers; 7.0 fails to negate it and searches on.',
        lambda args, e, a: _name(args) == b'LPOS' and b'-9223372036854775808' in args and
        a[0] == '-' and b'out of range' in a[1]),
]


def explain(oracle, args, expected, actual):
    """The entry that accepts this difference, counted as used, or None."""
    for entry in DIFFERENCES:
        if oracle in entry.oracle and entry.predicate(args, expected, actual):
            entry.used += 1
            return entry
    return None


def report():
    lines = []
    for entry in DIFFERENCES:
        if entry.used:
            lines.append('difference %s: met %d times. %s' % (entry.name, entry.used, entry.reason))
    unused = [entry.name for entry in DIFFERENCES if not entry.used]
    if unused:
        lines.append('differences not met in this run: ' + ', '.join(unused))
    return lines
