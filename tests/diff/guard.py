# SPDX-License-Identifier: BSD-3-Clause
"""Answers that cannot be compared word by word: iterations and random choices."""

import random

from resp import show

NULLS = (('$', None), ('*', None), ('_', None))


# Iterations.

def walk(client, args, between=None):
    """Runs a SCAN-like command to the end; returns (kinds of reply, elements) or the error."""
    name = args[0].upper()
    at = 1 if name == b'SCAN' else 2
    args = list(args[:at]) + [b'0'] + list(args[at:])
    if len(args) <= at:
        return client.call(*args)
    elements = []
    for _ in range(100000):
        reply = client.call(*args)
        if reply[0] != '*':
            return reply
        cursor, items = reply[1]
        elements += [item[1] for item in items[1]]
        if between:
            between()
        if cursor == ('$', b'0'):
            break
        args[at] = cursor[1]
    else:
        return ('-', b'the iteration does not end')
    if name in (b'HSCAN', b'ZSCAN') and not {b'NOVALUES', b'NOSCORES'} & {arg.upper() for arg in args}:
        if len(elements) % 2:
            return ('-', b'an odd number of elements')
        elements = list(zip(elements[::2], elements[1::2]))
    return ('*', sorted(set(elements)))


def walk_both(theirs, ours, args):
    a, b = walk(theirs, args), walk(ours, args)
    if a == b:
        return None
    return _as_reply(a), _as_reply(b), 'elements: a whole iteration'


def _as_reply(found):
    if found[0] != '*':
        return found
    return ('*', [('$', b' => '.join(item) if isinstance(item, tuple) else item)
                  for item in found[1]])


def check(theirs, ours, args):
    """SCAN's guarantee: what is there from beginning to end is returned at least once, and what
    is never there is never returned, while the table grows and shrinks in the meantime."""
    kind, seed = args[0].upper(), int(args[1])
    rng = random.Random(seed)
    size = rng.choice((10, 100, 700, 3000))
    count = rng.choice((1, 10, 50))
    key = b'guard'
    add = {b'SCAN': lambda m: [b'SET', b'guard:' + m, b'1'], b'SSCAN': lambda m: [b'SADD', key, m],
           b'HSCAN': lambda m: [b'HSET', key, m, b'1'],
           b'ZSCAN': lambda m: [b'ZADD', key, b'1', m]}[kind]
    drop = {b'SCAN': lambda m: [b'DEL', b'guard:' + m], b'SSCAN': lambda m: [b'SREM', key, m],
            b'HSCAN': lambda m: [b'HDEL', key, m], b'ZSCAN': lambda m: [b'ZREM', key, m]}[kind]
    stay = [b'stay:%d' % i for i in range(size)]
    coming = [b'come:%d' % i for i in range(size * rng.choice((0, 1, 8)))]
    going = [b'go:%d' % i for i in range(size * rng.choice((0, 1, 8)))]
    rng.shuffle(coming)
    rng.shuffle(going)
    ours.pipeline([add(m) for m in stay + going])
    known = set(stay) | set(coming) | set(going)
    step = max(1, (len(coming) + len(going)) * count // (3 * size))

    def between():
        batch = [add(coming.pop()) for _ in range(min(step, len(coming)))]
        batch += [drop(going.pop()) for _ in range(min(step, len(going)))]
        if batch:
            ours.pipeline(batch)

    words = [kind] + ([] if kind == b'SCAN' else [key]) + [b'COUNT', b'%d' % count]
    found = walk(ours, words + ([b'MATCH', b'guard:*'] if kind == b'SCAN' else []), between)
    leftover = [drop(m) for m in known]
    ours.pipeline(leftover)
    # The oracle never saw these keys: nothing to undo there.
    if found[0] != '*':
        return ('*', []), found, 'guarantee'
    names = {item[0] if isinstance(item, tuple) else item for item in found[1]}
    if kind == b'SCAN':
        names = {name[len(b'guard:'):] for name in names}
    missed = sorted(set(stay) - names)
    strange = sorted(names - known)
    if missed or strange:
        return (('*', []), ('*', [('$', m) for m in (missed + strange)[:10]]),
                'guarantee: %s COUNT %d over %d elements missed %d and invented %d' %
                (kind.decode(), count, size, len(missed), len(strange)))
    return None


# Random choices.

def _content(client, name, key):
    """(elements, values by element) of the key as the server tells them."""
    if name == b'HRANDFIELD':
        reply = client.call('HGETALL', key)
    elif name == b'ZRANDMEMBER':
        reply = client.call('ZRANGE', key, '0', '-1', 'WITHSCORES')
    else:
        reply = client.call('SMEMBERS', key)
    if reply[0] not in '*~%':
        return {}
    items = reply[1]
    if reply[0] == '%':
        return {k[1]: v for k, v in items}
    if items and items[0][0] == '*':
        return {item[1][0][1]: item[1][1] for item in items}
    if name in (b'HRANDFIELD', b'ZRANDMEMBER'):
        return {k[1]: v for k, v in zip(items[::2], items[1::2])}
    return {item[1]: None for item in items}


def _chosen(reply, with_values):
    """The elements of a random answer, with values where there are any."""
    if reply in NULLS:
        return []
    if reply[0] == '$':
        return [(reply[1], None)]
    items = reply[1]
    if items and items[0][0] == '*':
        return [(item[1][0][1], item[1][1]) for item in items]
    if with_values:
        return [(k[1], v) for k, v in zip(items[::2], items[1::2])]
    return [(item[1], None) for item in items]


def settle(theirs, ours, args, expected, actual):
    """Text about what is wrong with our random answer, or None."""
    name = args[0].upper()
    if name == b'RANDOMKEY':
        if actual in NULLS:
            return None
        return None if ours.call('EXISTS', actual[1]) == (':', 1) else 'no such key'
    key = args[1]
    values = len(args) > 3
    chosen = _chosen(actual, values)
    names = [item[0] for item in chosen]
    if name == b'SPOP':
        return _settle_pop(theirs, ours, key, [item[0] for item in _chosen(expected, False)],
                           names)
    content = _content(ours, name, key)
    if any(item not in content for item in names):
        return 'not in the key: ' + show(actual)
    if values and any(content[item] != value for item, value in chosen):
        return 'values do not belong to their elements: ' + show(actual)
    may_repeat = len(args) > 2 and args[2].startswith(b'-')
    if not may_repeat and len(set(names)) != len(names):
        return 'elements repeated: ' + show(actual)
    return None


def _settle_pop(theirs, ours, key, popped, ours_popped):
    left, ours_left = (set(_content(client, b'SPOP', key)) for client in (theirs, ours))
    if len(set(ours_popped)) != len(ours_popped) or set(ours_popped) & ours_left:
        return 'popped twice, or not removed: %r' % ours_popped
    if set(popped) | left != set(ours_popped) | ours_left:
        return 'popped what was not there: %r' % ours_popped
    back = [m for m in ours_popped if m not in popped]
    gone = [m for m in popped if m not in ours_popped]
    if back:
        ours.call('SADD', key, *back)
        ours.call('SREM', key, *gone)
    # Some ways of popping build the rest anew, in whatever encoding suits it.
    if 'intset' in {client.do('OBJECT', 'ENCODING', key) if left else None
                    for client in (theirs, ours)}:
        theirs.call('DEL', key)
        ours.call('DEL', key)
    return None
