# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios: what the clients do, and what must be true in the end.

An actor is a function (connect, share, goes_on): it opens its connections, works while goes_on() says so, and asserts
what it can see. Keys of a scenario begin with its name, and have no lifetime unless they may be evicted.
"""

import atexit
import multiprocessing
import pathlib
import random
import shutil
import tempfile
import time

from resp import ReplyError


class Share:
    """Counters that the actors of a scenario have in common."""

    def __init__(self):
        self.values = multiprocessing.Array('q', 8)

    def add(self, slot, amount=1):
        with self.values.get_lock():
            self.values[slot] += amount

    def __getitem__(self, slot):
        return self.values[slot]

    def summary(self):
        return 'counts ' + ' '.join(str(v) for v in self.values[:] if v)


class Scenario:
    def __init__(self, name, actors, prepare=None, verify=None):
        self.name = name
        self.actors = actors
        self.prepare = prepare or (lambda client: None)
        self.verify = verify or (lambda client, share: None)


def insist(client, *args):
    """The reply, however often memory is short at that moment: the server is over its limit all the time."""
    while True:
        try:
            return client.do(*args)
        except ReplyError as error:
            if not str(error).startswith(('OOM', "b'OOM")):
                raise
        time.sleep(0.01)


# ---- money is neither made nor lost by transactions, with WATCH or without ----

ACCOUNTS, START = 5, 1000


def transfer_setup(client):
    for i in range(ACCOUNTS):
        client.do('SET', 'transfer:%d' % i, START)


def transfer_watch(connect, share, goes_on):
    client = connect()
    while goes_on():
        a, b = random.sample(range(ACCOUNTS), 2)
        client.do('WATCH', 'transfer:%d' % a, 'transfer:%d' % b)
        have = int(client.do('GET', 'transfer:%d' % a))
        other = int(client.do('GET', 'transfer:%d' % b))
        amount = random.randrange(0, 50)
        replies = client.pipeline([('MULTI',), ('SET', 'transfer:%d' % a, have - amount),
                                   ('SET', 'transfer:%d' % b, other + amount), ('EXEC',)])
        if replies[-1][0] == '-':
            assert replies[-1][1].startswith(b'EXECABORT'), replies
            continue
        share.add(0 if replies[-1][1] is not None else 1)


def transfer_blind(connect, share, goes_on):
    client = connect()
    while goes_on():
        a, b = random.sample(range(ACCOUNTS), 2)
        replies = client.pipeline([('MULTI',), ('DECRBY', 'transfer:%d' % a, 7), ('INCRBY', 'transfer:%d' % b, 7),
                                   ('MGET', *['transfer:%d' % i for i in range(ACCOUNTS)]), ('EXEC',)])
        if replies[-1][0] == '-':
            assert replies[-1][1].startswith(b'EXECABORT'), replies
            continue
        values = replies[-1][1][2][1]
        assert sum(int(v[1]) for v in values) == ACCOUNTS * START, values
        share.add(2)


def transfer_check(client, share):
    total = sum(int(client.do('GET', 'transfer:%d' % i)) for i in range(ACCOUNTS))
    assert total == ACCOUNTS * START, total
    assert share[0] > 0 and share[2] > 0


# ---- a queue delivers each item once, whoever waits for it and however ----

def queue_produce(connect, share, goes_on):
    client = connect()
    while goes_on():
        items = [random.randrange(1, 1 << 30) for _ in range(random.randrange(1, 5))]
        share.add(0, len(items))
        share.add(1, sum(items))
        insist(client, 'LPUSH', 'queue:%d' % random.randrange(3), *items)


def queue_take(client, share, reply):
    if reply is None:
        return
    item = int(reply[-1]) if isinstance(reply, list) else int(reply)
    share.add(2)
    share.add(3, item)


def queue_consume(connect, share, goes_on):
    client = connect()
    while goes_on():
        names = ['queue:0', 'queue:1', 'queue:2']
        random.shuffle(names)
        queue_take(client, share, client.do('BRPOP', *names, 0.3))


def queue_move(connect, share, goes_on):
    """Takes over a second list of its own, in two steps."""
    client = connect()
    own = 'queue:own:%d' % random.randrange(1 << 40)
    while goes_on():
        if insist(client, 'BLMOVE', 'queue:%d' % random.randrange(3), own, 'RIGHT', 'LEFT', 0.2) is not None:
            queue_take(client, share, client.do('RPOP', own))


def queue_quit(connect, share, goes_on):
    """Goes away while it waits, on a key where nothing arrives."""
    while goes_on():
        client = connect()
        client.send('BLPOP', 'queue:never', 'queue:never2', 0)
        client.close()
        share.add(4)


def queue_check(client, share):
    left = [int(v) for i in range(3) for v in client.do('LRANGE', 'queue:%d' % i, 0, -1)]
    assert share[0] == share[2] + len(left), (share[0], share[2], len(left))
    assert share[1] == share[3] + sum(left)
    assert share[2] > 0


# ---- whoever waits without a timeout is woken, also through a chain of moves ----

LINKS = 4


def chain_link(connect, share, goes_on):
    clients = [connect() for _ in range(LINKS)]
    for link, client in enumerate(clients):
        client.send('BLMOVE', 'chain:%d' % link, 'chain:%d' % (link + 1), 'LEFT', 'RIGHT', 0)
    while goes_on():
        for link, client in enumerate(clients):
            try:
                client.read(timeout_s=0.02)
            except TimeoutError:
                continue
            share.add(1)
            client.send('BLMOVE', 'chain:%d' % link, 'chain:%d' % (link + 1), 'LEFT', 'RIGHT', 0)


def chain_round(connect, share, goes_on):
    client = connect()
    item = 'item %d' % random.randrange(1 << 40)
    while goes_on():
        insist(client, 'RPUSH' if random.random() < 0.5 else 'LPUSH', 'chain:0', item)
        # Some item comes out for each that goes in, unless somebody was not woken.
        began = time.monotonic()
        while client.do('BLPOP', 'chain:%d' % LINKS, 'chain:none', 20) is None and goes_on():
            if time.monotonic() - began < 19:
                continue  # chaos has unblocked it
            lengths = [client.do('LLEN', 'chain:%d' % i) for i in range(LINKS + 1)]
            raise AssertionError('an item is stuck: lengths %r' % lengths)
        share.add(0)


def chain_check(client, share):
    assert share[0] > 0 and share[1] > 0


# ---- messages arrive whole and in order ----

def pubsub_publish(connect, share, goes_on):
    client = connect()
    name = random.randrange(1 << 40)
    count = 0
    while goes_on():
        count += 1
        client.do('PUBLISH', 'pubsub:%d' % (name % 3), '%d %d' % (name, count))
        share.add(0)


def pubsub_listen(connect, share, goes_on):
    client = connect()
    last = {}
    client.send('PSUBSCRIBE', 'pubsub:*')
    client.send('SUBSCRIBE', 'pubsub:0')
    while goes_on():
        try:
            message = client.read(timeout_s=0.5)
        except TimeoutError:
            continue
        parts = [part[1] for part in message[1]]
        if parts[0] not in (b'message', b'pmessage'):
            continue
        name, count = parts[-1].split()
        key = parts[0], name
        if key in last:
            assert int(count) == last[key] + 1, (key, count, last[key])
        last[key] = int(count)
        share.add(1)


def pubsub_come_and_go(connect, share, goes_on):
    while goes_on():
        with connect() as client:
            client.send('SUBSCRIBE', 'pubsub:1', 'pubsub:2')
            client.send('PSUBSCRIBE', 'pubsub:*', '__key*__:*')
            for _ in range(random.randrange(1, 50)):
                try:
                    client.read()
                except TimeoutError:
                    if goes_on():
                        raise
                    return  # nobody publishes any more


def pubsub_check(client, share):
    assert share[0] > 0 and share[1] > 0


# ---- scripts, with the keys they declare and with others, are one step for everybody else ----

SCRIPT_ACCOUNTS, SCRIPT_START = 12, 1000
MOVE_DECLARED = """
redis.call('decrby', KEYS[1], ARGV[1]) redis.call('incrby', KEYS[2], ARGV[1])
redis.call('hincrby', KEYS[3], 'moved', 1) return 1"""
# The first key is declared, the others are not: whether the script is known for it or not, nobody sees half of it.
MOVE_UNDECLARED = """
redis.call('decrby', KEYS[1], ARGV[2]) redis.call('rpush', 'script:queue', ARGV[3])
redis.call('incrby', 'script:account:' .. ARGV[1], ARGV[2]) redis.call('hincrby', 'script:log', 'moved', 1)
return 1 -- %d"""
SUM = "local sum = 0 for _, key in ipairs(KEYS) do sum = sum + redis.call('get', key) end return sum"


def script_key(index):
    return 'script:account:%d' % index


def script_setup(client):
    for i in range(SCRIPT_ACCOUNTS):
        client.do('SET', script_key(i), SCRIPT_START)
    client.do('FUNCTION', 'LOAD', 'REPLACE', """#!lua name=script
redis.register_function('script_move', function(keys, args)
  redis.call('decrby', keys[1], args[2]) redis.call('hincrby', 'script:log', 'moved', 1)
  return redis.call('incrby', 'script:account:' .. args[1], args[2]) end)""")


def script_count(share, slot, call):
    try:
        call()
        share.add(slot)
    except ReplyError as error:
        if not str(error).startswith(('OOM', "b'OOM")):
            raise


def script_move(connect, share, goes_on):
    client = connect()
    sha = client.do('SCRIPT', 'LOAD', MOVE_DECLARED)
    while goes_on():
        a, b = random.sample(range(SCRIPT_ACCOUNTS), 2)
        try:
            script_count(share, 0, lambda: client.do('EVALSHA', sha, 3, script_key(a), script_key(b), 'script:log',
                                                     random.randrange(50)))
        except ReplyError as error:
            assert 'NOSCRIPT' in str(error), error
            client.do('SCRIPT', 'LOAD', MOVE_DECLARED)


def script_wander(connect, share, goes_on):
    client, name = connect(), random.randrange(1 << 40)
    sent = 0
    while goes_on():
        a, b = random.sample(range(SCRIPT_ACCOUNTS), 2)

        def move():
            # Mostly a script that is not known yet for its keys.
            client.do('EVAL', MOVE_UNDECLARED % random.randrange(40), 1, script_key(a), b, random.randrange(50),
                      '%d %d' % (name, sent))
            share.add(1)
        script_count(share, 0, move)
        sent += 1
        if random.random() < 0.05:
            client.do('SCRIPT', 'FLUSH') if random.random() < 0.1 else script_count(
                share, 0, lambda: client.do('FCALL', 'script_move', 1, script_key(a), b, 7))


def script_take(connect, share, goes_on):
    client, seen = connect(), set()
    while goes_on():
        reply = client.do('BLPOP', 'script:queue', '0.2')
        if reply is not None:
            assert reply[1] not in seen, reply
            seen.add(reply[1])
            share.add(2)


def script_watch_sum(connect, share, goes_on):
    client = connect()
    keys = [script_key(i) for i in range(SCRIPT_ACCOUNTS)]
    while goes_on():
        if random.random() < 0.5:
            total = insist(client, 'EVAL', SUM, len(keys), *keys)
        else:
            replies = client.pipeline([('MULTI',)] + [('GET', key) for key in keys] + [('EXEC',)])
            total = sum(int(value) for _, value in replies[-1][1])
        assert total == SCRIPT_ACCOUNTS * SCRIPT_START, total


def script_check(client, share):
    values = [int(client.do('GET', script_key(i))) for i in range(SCRIPT_ACCOUNTS)]
    assert sum(values) == SCRIPT_ACCOUNTS * SCRIPT_START, values
    assert int(client.do('HGET', 'script:log', 'moved') or 0) == share[0], share.summary()
    assert share[2] + client.do('LLEN', 'script:queue') == share[1], share.summary()


# ---- a scan meets every key that stays, while others come and go ----

STAY = 300


def scan_setup(client):
    for i in range(STAY):
        client.do('SET', 'scan:stay:%d' % i, i)
    client.do('SADD', 'scan:set', *range(2000))


def scan_walk(connect, share, goes_on):
    client = connect()
    want = {b'scan:stay:%d' % i for i in range(STAY)}
    while goes_on():
        cursor, met = b'0', []
        while True:
            cursor, keys = client.do('SCAN', cursor, 'MATCH', 'scan:stay:*', 'COUNT', random.choice([10, 100, 1000]))
            met += keys
            share.add(0)
            if cursor == b'0':
                break
        # A key may come twice: a walk begins anew when other scenarios change what keys are called (legacy names).
        assert set(met) == want, (len(set(met)), STAY)
        assert set(client.do('KEYS', 'scan:stay:*')) == want
        share.add(1)


def scan_disturb(connect, share, goes_on):
    client = connect()
    while goes_on():
        names = ['scan:go:%d' % random.randrange(5000) for _ in range(50)]
        client.pipeline([('SET', name, 'x') for name in names])
        client.pipeline([(random.choice(['DEL', 'UNLINK']), name) for name in names])
        client.do('SREM', 'scan:set', *[random.randrange(1000) for _ in range(20)])
        insist(client, 'SADD', 'scan:set', *[random.randrange(1000) for _ in range(20)])
        client.do('DBSIZE')
        client.do('RANDOMKEY')
        insist(client, 'SORT', 'scan:set', 'LIMIT', 0, 1)


def scan_check(client, share):
    # Few walks, or none, may come to their end while names change several times a second.
    assert share[0] > 0


# ---- each group gets each entry of a stream once, and acknowledges it once ----

STREAMS = ['stream:0', 'stream:1']
DELIVERED, ACKED = {'g': 2, 'h': 4}, {'g': 6, 'h': 7}


def stream_setup(client):
    for stream in STREAMS:
        for group in DELIVERED:
            client.do('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')


def stream_produce(connect, share, goes_on):
    client = connect()
    while goes_on():
        item = random.randrange(1, 1 << 30)
        insist(client, 'XADD', random.choice(STREAMS), '*', 'item', item, *random.choice([(), ('kind', 'odd')]))
        share.add(0)
        share.add(1, item)
        # What is not read must not fill the memory.
        while goes_on() and max(client.do('XLEN', stream) for stream in STREAMS) > 5000:
            time.sleep(0.01)


def stream_acknowledge(client, share, group, stream, ids):
    """Entries go from the stream when both groups have acknowledged them."""
    replies = client.do('XACKDEL', stream, group, 'ACKED', 'IDS', len(ids), *ids)
    share.add(ACKED[group], sum(1 for reply in replies if reply > 0))


def stream_consume(connect, share, goes_on):
    client = connect()
    me = 'c%d' % random.randrange(3)
    while goes_on():
        group = random.choice('gh')
        found = client.do('XREADGROUP', 'GROUP', group, me, 'COUNT', random.randrange(1, 20), 'BLOCK', 100, 'STREAMS',
                          *STREAMS, '>', '>')
        for stream, entries in found or []:
            share.add(DELIVERED[group], len(entries))
            share.add(DELIVERED[group] + 1, sum(int(fields[1]) for _, fields in entries))
            ids = [entry[0] for entry in entries]
            assert ids == sorted(ids, key=lambda name: [int(part) for part in name.split(b'-')]), ids
            # Some are left for those who clear up.
            stream_acknowledge(client, share, group, stream.decode(), ids[:random.randrange(len(ids) + 1)] or ids[:1])


def stream_clear_up(connect, share, goes_on):
    client = connect()
    while goes_on():
        group, stream = random.choice('gh'), random.choice(STREAMS)
        if random.random() < 0.5:
            _, ids, _ = client.do('XAUTOCLAIM', stream, group, 'clear', random.choice([0, 5]), '0', 'COUNT', 50, 'JUSTID')
        else:
            pending = client.do('XPENDING', stream, group, '-', '+', 30)
            ids = [entry[0] for entry in pending]
            if ids:
                ids = client.do('XCLAIM', stream, group, 'clear', 0, *ids, 'JUSTID')
        if ids:
            stream_acknowledge(client, share, group, stream, ids)
        else:
            time.sleep(0.005)
        client.pipeline([('XINFO', 'STREAM', stream, 'FULL'), ('MEMORY', 'USAGE', stream),
                         ('COPY', stream, stream + ':copy', 'REPLACE'), ('UNLINK', stream + ':copy')])


def stream_listen(connect, share, goes_on):
    """Reads along, without a group, and sees identifiers ascend."""
    client = connect()
    last = dict.fromkeys(STREAMS, b'0-0')
    while goes_on():
        found = client.do('XREAD', 'BLOCK', 100, 'STREAMS', *STREAMS, *last.values())
        for stream, entries in found or []:
            for name, _ in entries:
                before = [int(part) for part in last[stream.decode()].split(b'-')]
                assert [int(part) for part in name.split(b'-')] > before, (name, before)
                last[stream.decode()] = name


def stream_group_ends(connect, share, goes_on):
    """A reader that waits for a group hears of its end."""
    client, reader = connect(), connect()
    name = 'brief:%d' % random.randrange(1 << 40)
    while goes_on():
        insist(client, 'XGROUP', 'CREATE', 'stream:2', name, '$', 'MKSTREAM')
        reader.send('XREADGROUP', 'GROUP', name, 'c', 'BLOCK', 0, 'STREAMS', 'stream:2', '>')
        if random.random() < 0.5:
            insist(client, 'XADD', 'stream:2', 'MAXLEN', '10', '*', 'f', 'v')
        client.do('XGROUP', 'DESTROY', 'stream:2', name)
        kind, value = reader.read()
        assert kind == '*' or value.startswith(b'NOGROUP'), value


def stream_check(client, share):
    for group in DELIVERED:
        ahead, pending = [], 0
        for stream in STREAMS:
            facts = [item for item in client.do('XINFO', 'GROUPS', stream) if item[1] == group.encode()][0]
            last = facts[facts.index(b'last-delivered-id') + 1]
            ahead += [int(fields[1]) for _, fields in client.do('XRANGE', stream, b'(' + last, '+')]
            pending += client.do('XPENDING', stream, group)[0]
        at = DELIVERED[group]
        assert share[0] == share[at] + len(ahead), (group, share[0], share[at], len(ahead))
        assert share[1] == share[at + 1] + sum(ahead), group
        assert share[at] == share[ACKED[group]] + pending, (group, share[at], share[ACKED[group]], pending)
        assert share[at] > 0


# ---- keys with a lifetime come, are read, expire and are evicted ----

def cache_use(connect, share, goes_on):
    client = connect()
    while goes_on():
        batch = []
        for _ in range(40):
            key = 'cache:%d' % random.randrange(20000)
            kind = random.randrange(5)
            batch.append([('SET', key, 'v' * random.randrange(2000), 'PX', random.randrange(1, 3000)), ('GET', key),
                          ('GETEX', key, 'PX', 50), ('EXPIRE', key, 1, 'GT'), ('PTTL', key)][kind])
        for reply in client.pipeline(batch):
            assert reply[0] != '-' or reply[1].startswith(b'OOM'), reply
        share.add(0, len(batch))


def cache_hashes(connect, share, goes_on):
    client = connect()
    while goes_on():
        key = 'cache:h:%d' % random.randrange(20)
        fields = ['f%d' % random.randrange(30) for _ in range(3)]
        client.call('HSETEX', key, 'PX', random.randrange(1, 100), 'FIELDS', 1, fields[0], 'x')
        client.call('HPEXPIRE', key, random.randrange(1, 50), 'FIELDS', 2, *fields[:2])
        client.call('HGETALL', key)
        client.call('EXPIRE', key, 5)


# ---- a payload is a value at one moment, and nothing else ----

CARRIED = 30


def carry_write(connect, share, goes_on):
    client = connect()
    number = 0
    while goes_on():
        number += 1
        size = random.choice([1, 1, 20])
        fields = [word for i in range(CARRIED) for word in ('f%d' % i, '%d' % number * size)]
        members = ['%d:%d' % (number, i) for i in range(CARRIED)]
        client.pipeline([
            ('HSET', 'carry:hash', *fields), ('MULTI',), ('DEL', 'carry:set'), ('SADD', 'carry:set', *members),
            ('EXEC',), ('MULTI',), ('DEL', 'carry:list'), ('RPUSH', 'carry:list', *members), ('EXEC',)])


def carry_over(connect, share, goes_on):
    client = connect()
    reads = {'hash': ('HVALS',), 'set': ('SMEMBERS',), 'list': ('LRANGE', 0, -1)}
    while goes_on():
        kind = random.choice(list(reads))
        copy = 'carry:copy:%d' % random.randrange(3)
        payload = client.do('DUMP', 'carry:' + kind)
        if payload is None:
            continue
        word, *rest = reads[kind]
        replies = client.pipeline([('MULTI',), ('RESTORE', copy, 0, payload, 'REPLACE'), ('DUMP', copy),
                                   (word, copy, *rest), ('EXEC',)])
        if replies[-1][0] == '-':
            continue
        restored, again, values = replies[-1][1]
        if restored[0] == '-':
            assert restored[1].startswith(b'OOM'), restored
            continue
        values = [value for _, value in values[1]]
        assert len(values) == CARRIED and len({value.split(b':')[0] for value in values}) == 1, values
        assert len(again[1]) > 10
        share.add(0)


def carry_check(client, share):
    assert share[0] > 0


# ---- every kind of command at once on a few keys, in databases of its own ----

def chaos_commands(connect, share, goes_on):
    client = connect()
    db = 5
    client.do('SELECT', db)
    # They unblock one another, and nobody of another scenario.
    me = client.do('CLIENT', 'ID')
    share.values[2 + me % 6] = me

    def key():
        return 'chaos:%d' % random.randrange(6)

    def value():
        return str(random.randrange(20))

    makers = [
        lambda: ('SET', key(), value()), lambda: ('APPEND', key(), value()), lambda: ('INCR', key()),
        lambda: ('LPUSH', key(), value(), value()), lambda: ('RPOPLPUSH', key(), key()), lambda: ('LTRIM', key(), 0, 20),
        lambda: ('SADD', key(), value(), value()), lambda: ('SMOVE', key(), key(), value()),
        lambda: ('SUNIONSTORE', key(), key(), key()), lambda: ('ZADD', key(), value(), value()),
        lambda: ('ZUNIONSTORE', key(), 2, key(), key()), lambda: ('ZPOPMIN', key()), lambda: ('HSET', key(), value(), value()),
        lambda: ('HINCRBY', key(), value(), 1), lambda: ('DEL', key(), key()), lambda: ('RENAME', key(), key()),
        lambda: ('COPY', key(), key(), 'REPLACE'), lambda: ('COPY', key(), key(), 'DB', 6, 'REPLACE'), lambda: ('MOVE', key(), 6),
        lambda: ('SORT', key(), 'BY', 'nosort', 'STORE', key()), lambda: ('EXPIRE', key(), 1), lambda: ('PERSIST', key()),
        lambda: ('OBJECT', 'ENCODING', key()), lambda: ('MEMORY', 'USAGE', key()), lambda: ('TYPE', key()),
        lambda: ('BLPOP', key(), 0.01), lambda: ('BZPOPMIN', key(), key(), 0.01), lambda: ('BLMOVE', key(), key(), 'LEFT', 'RIGHT', 0.01),
        lambda: ('XADD', key(), 'MAXLEN', '~', 50, '*', value(), value()), lambda: ('XGROUP', 'CREATE', key(), 'g', 0, 'MKSTREAM'),
        lambda: ('XREADGROUP', 'GROUP', 'g', value(), 'COUNT', 5, 'BLOCK', 5, 'STREAMS', key(), '>'),
        lambda: ('XREAD', 'BLOCK', 5, 'STREAMS', key(), key(), '$', '$'), lambda: ('XAUTOCLAIM', key(), 'g', value(), 0, 0),
        lambda: ('XGROUP', 'DESTROY', key(), 'g'), lambda: ('XTRIM', key(), 'MAXLEN', 5, 'DELREF'),
        lambda: ('DUMP', key()), lambda: ('WATCH', key()), lambda: ('UNWATCH',), lambda: ('SCAN', 0, 'COUNT', 50),
        lambda: ('CLIENT', 'LIST'), lambda: ('INFO',), lambda: ('CLIENT', 'UNBLOCK', share[random.randrange(2, 8)] or me),
    ]
    while goes_on():
        for reply in client.pipeline([random.choice(makers)() for _ in range(20)]):
            assert reply is not None
        share.add(0, 20)


def chaos_databases(connect, share, goes_on):
    client = connect()
    while goes_on():
        client.do('SWAPDB', 5, 6)
        client.do('SELECT', random.choice([5, 6]))
        if random.random() < 0.1:
            client.do(random.choice(['FLUSHDB']), random.choice(['ASYNC', 'SYNC']))
        client.call('CONFIG', 'SET', 'hash-max-listpack-entries', random.choice([1, 128]))
        client.pipeline([('MULTI',), ('DBSIZE',), ('KEYS', '*'), ('LPUSH', 'chaos:1', 'x'), ('EXEC',)])
        share.add(1)


def chaos_check(client, share):
    assert share[0] > 0 and share[1] > 0
    assert client.do('PING') == b'PONG'


# ---- catalogs come and go, patterns are purged, and what is counted stays exact ----

CATALOG = """\
keynome: 1
name: race
patterns:
  - {key: "catalog:mine:{owner}:{n}", name: mine}
  - {key: "catalog:tmp:{n}", name: tmp, type: string, eviction: cache}
  - {key: "catalog:all:{n}", name: all}
"""
OTHERS = [
    CATALOG + '  - {key: "catalog:all:7", name: seven}\n  - {key: "chaos:{n}", name: chaos}\n',
    CATALOG + '  - {key: "transfer:{n}", name: accounts, type: string}\n  - {key: "queue:{n}", name: q, eviction: never}\n',
]
# Two names of each key; the catalogs differ in which of them is the legacy one.
ALIASES = """\
keynome: 1
name: aliases
patterns:
  - {{key: "alias:{new}:{{i}}", name: one, aliases: ["alias:{old}:{{i}}"]}}
"""


def catalog_files():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='keynome-race-'))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for i, text in enumerate([CATALOG, *OTHERS]):
        (folder / ('%d.yaml' % i)).write_text(text, encoding='utf-8')
    for new, old in ('no', 'on'):
        text = ALIASES.format(new=new, old=old)
        (folder / ('alias-%s.yaml' % new)).write_text(text, encoding='utf-8')
    return folder


FILES = catalog_files()


def catalog_setup(client):
    client.do('CATALOG', 'LOAD', str(FILES / '0.yaml'))


def catalog_load(connect, share, goes_on):
    client = connect()
    while goes_on():
        client.do('CATALOG', 'LOAD', str(FILES / ('%d.yaml' % random.randrange(3))))
        for reply in client.pipeline([('CATALOG', 'STATS'), ('CATALOG', 'STATS', 'all'), ('CATALOG', 'DESCRIBE'),
                                      ('CATALOG', 'MATCH', 'catalog:all:7'), ('CATALOG', 'VIOLATIONS')]):
            assert reply[0] != '-', reply
        share.add(0)
        time.sleep(random.random() / 20)


def catalog_purge(connect, share, goes_on):
    """What this client purges is gone for it, and for others, from that moment."""
    client, other = connect(), connect()
    mine = str(random.randrange(1 << 40))
    while goes_on():
        keys = ['catalog:mine:%s:%d' % (mine, i) for i in range(random.randrange(1, 60))]
        insist(client, 'MSET', *[word for key in keys for word in (key, 'x' * random.randrange(80))])
        reply = client.call('CATALOG', 'PURGE', 'mine', 'owner', mine)
        if reply[0] == '-':
            assert reply[1].startswith(b'TRYAGAIN'), reply
            client.do('DEL', *keys)
            continue
        assert other.do('EXISTS', *keys) == 0
        insist(client, 'SET', keys[0], 'again')
        assert other.do('EXISTS', *keys) == 1
        client.do('DEL', keys[0])
        share.add(1)


def catalog_write(connect, share, goes_on):
    client = connect()

    def key():
        return random.choice(['catalog:all:%d', 'catalog:tmp:%d']) % random.randrange(20)

    makers = [
        lambda: ('SET', key(), 'x' * random.randrange(300)), lambda: ('APPEND', key(), 'yy'), lambda: ('DEL', key(), key()),
        lambda: ('RPUSH', key(), *'abc'), lambda: ('LPOP', key(), 5), lambda: ('SADD', key(), *range(random.randrange(1, 200))),
        lambda: ('SPOP', key(), 50), lambda: ('HSET', key(), random.randrange(9), 'v'), lambda: ('RENAME', key(), key()),
        lambda: ('COPY', key(), key(), 'REPLACE'), lambda: ('SUNIONSTORE', key(), key(), key()), lambda: ('GET', key()),
        lambda: ('ZADD', key(), 1, random.randrange(300)), lambda: ('LMOVE', key(), key(), 'LEFT', 'RIGHT'),
        lambda: ('BLPOP', key(), 0.01), lambda: ('XADD', key(), '*', 'f', 'v'), lambda: ('CATALOG', 'PURGE', 'tmp'),
    ]
    while goes_on():
        client.pipeline([random.choice(makers)() for _ in range(20)])
        client.pipeline([('MULTI',), random.choice(makers)(), random.choice(makers)(), ('EXEC',)])
        share.add(2)


def catalog_check(client, share):
    assert share[0] > 0 and share[1] > 0 and share[2] > 0
    client.do('CATALOG', 'LOAD', str(FILES / '0.yaml'))

    def stats(pattern):
        counted = client.do('CATALOG', 'STATS', pattern)
        return dict(zip(counted[::2], counted[1::2]))

    def until(holds, pattern):
        """Keys that were there when catalogs were replaced are matched again in the background."""
        end = time.time() + 30
        while not holds(stats(pattern)):
            assert time.time() < end, stats(pattern)
            time.sleep(0.1)

    for pattern in ('mine', 'tmp', 'all'):
        keys = len(client.do('KEYS', 'catalog:%s:*' % pattern))
        until(lambda counted: counted[b'keys'] == keys, pattern)
        client.do('CATALOG', 'PURGE', pattern)
        assert client.do('KEYS', 'catalog:%s:*' % pattern) == []
        until(lambda counted: (counted[b'keys'], counted[b'bytes']) == (0, 0), pattern)


# ---- a key by its legacy name is the same key, while keys move from one name to the other and back ----

ALIASED = 40


def alias_name(i):
    return 'alias:%s:%s' % (random.choice('no'), i)


def alias_setup(client):
    client.do('CATALOG', 'LOAD', str(FILES / 'alias-n.yaml'))
    for i in range(ALIASED):
        client.do('SET', alias_name(i), START)


def alias_turn(connect, share, goes_on):
    client = connect()
    while goes_on():
        for new in 'on':
            client.do('CATALOG', 'LOAD', str(FILES / ('alias-%s.yaml' % new)))
            time.sleep(random.random() / 10)
            client.do('CATALOG', 'MIGRATE')
            time.sleep(random.random() / 3)
            states = [dict(zip(each[::2], each[1::2])) for each in client.do('CATALOG', 'MIGRATE', 'STATUS')]
            assert all(each[b'conflicts'] == 0 for each in states), states
            share.add(0)


def alias_transfer(connect, share, goes_on):
    client = connect()
    script = "redis.call('decrby', KEYS[1], 3) return redis.call('incrby', ARGV[1], 3)"
    while goes_on():
        a, b = alias_name(random.randrange(ALIASED)), alias_name(random.randrange(ALIASED))
        replies = client.pipeline([('MULTI',), ('DECRBY', a, 7), ('INCRBY', b, 7),
                                   ('MGET', *[alias_name(i) for i in range(ALIASED)]), ('EXEC',)])
        if replies[-1][0] == '-':
            assert replies[-1][1].startswith(b'EXECABORT'), replies
            continue
        values = replies[-1][1][2][1]
        assert sum(int(v[1]) for v in values) == ALIASED * START, values
        if insist(client, 'EXISTS', *[alias_name(i) for i in range(ALIASED)]) != ALIASED:
            raise AssertionError('a key is missing')
        insist(client, 'EVAL', script, 1, a, b)
        share.add(1)


def alias_produce(connect, share, goes_on):
    client = connect()
    while goes_on():
        insist(client, random.choice(['LPUSH', 'RPUSH']), alias_name('queue'), *'12')
        share.add(2, 2)
        time.sleep(random.random() / 200)


def alias_consume(connect, share, goes_on):
    client = connect()
    while goes_on():
        name = alias_name('queue')
        reply = client.do('BLPOP', name, 0.5)
        if reply is not None:
            assert reply[0] == name.encode(), (reply, name)
            share.add(3)


def alias_list(connect, share, goes_on):
    """A key has one name at a time."""
    client = connect()
    while goes_on():
        keys = client.do('KEYS', 'alias:?:[0-9]*')
        assert sorted(int(key.split(b':')[2]) for key in keys) == list(range(ALIASED)), keys
        time.sleep(0.05)


def alias_walk(connect, share, goes_on):
    """A walk meets every key, by one name or another."""
    client = connect()
    while goes_on():
        cursor, seen = b'0', set()
        while goes_on():
            cursor, keys = client.do('SCAN', cursor, 'MATCH', 'alias:?:[0-9]*', 'COUNT', random.choice([10, 100, 1000]))
            seen.update(int(key.split(b':')[2]) for key in keys)
            if cursor == b'0':
                assert seen == set(range(ALIASED)), seen
                share.add(4)
                break


def alias_check(client, share):
    assert share[0] > 0 and share[1] > 0 and share[3] > 0 and share[4] > 0
    assert sum(int(client.do('GET', alias_name(i))) for i in range(ALIASED)) == ALIASED * START
    assert share[2] - share[3] == client.do('LLEN', alias_name('queue')), share.summary()


ALL = [
    Scenario('transfer', [transfer_watch, transfer_watch, transfer_blind], transfer_setup, transfer_check),
    Scenario('queue', [queue_produce, queue_produce, queue_consume, queue_consume, queue_move, queue_quit], None,
             queue_check),
    Scenario('chain', [chain_link, chain_link, chain_link, chain_round, chain_round], None, chain_check),
    Scenario('pubsub', [pubsub_publish, pubsub_publish, pubsub_listen, pubsub_listen, pubsub_come_and_go], None,
             pubsub_check),
    Scenario('script', [script_move, script_move, script_wander, script_wander, script_wander, script_take, script_take,
                        script_watch_sum, script_watch_sum], script_setup, script_check),
    Scenario('scan', [scan_walk, scan_disturb], scan_setup, scan_check),
    Scenario('stream', [stream_produce, stream_produce, stream_consume, stream_consume, stream_consume, stream_clear_up,
                        stream_listen, stream_group_ends], stream_setup, stream_check),
    Scenario('carry', [carry_write, carry_over, carry_over], None, carry_check),
    Scenario('alias', [alias_turn, alias_transfer, alias_transfer, alias_produce, alias_consume, alias_consume, alias_list,
                       alias_walk],
             alias_setup, alias_check),
    Scenario('catalog', [catalog_load, catalog_purge, catalog_purge, catalog_write, catalog_write], catalog_setup,
             catalog_check),
    Scenario('cache', [cache_use, cache_use, cache_hashes]),
    Scenario('chaos', [chaos_commands, chaos_commands, chaos_commands, chaos_databases], None, chaos_check),
]
