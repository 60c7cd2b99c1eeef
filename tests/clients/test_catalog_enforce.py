# SPDX-License-Identifier: BSD-3-Clause
"""What an enforced catalog forbids does not happen: for every command that writes, and every policy that it could break, one
violation, refused, after which the keyspace is what it was.

The commands come from COMMAND, so that one which is new fails here until somebody has thought about it.
"""

import pathlib
import random
import re
import time

import pytest
import redis

import resp

# One pattern for each policy. The catalog states no mode: keys are prepared while it is off.
CATALOG = """\
keynome: 1
name: strict
unmatched: deny
patterns:
  - {name: free, key: "free:{id}"}
  - {name: string, key: "string:{id}", type: string}
  - {name: list, key: "list:{id}", type: list}
  - {name: database, key: "database:{id}", database: 1}
  - {name: key-size, key: "key-size:{id}", limits: {key: 12}}
  - {name: value-size, key: "value-size:{id}", limits: {value: 1}}
  - {name: elements, key: "elements:{id}", limits: {elements: 1}}
  - {name: format, key: "format:{id}", value: uuid}
  - {name: field, key: "field:{id}", fields: {known: any}, only-these-fields: true}
  - {name: lifetime-missing, key: "lifetime-missing:{id}", lifetime: {required: true}}
  - {name: lifetime-long, key: "lifetime-long:{id}", lifetime: {maximum: 1m}}
  # Where MOVE takes keys from, and where to.
  - {name: from-type, key: "move-type:{id}", database: 0}
  - {name: move-type, key: "move-type:{id}", type: list, database: 1}
  - {name: from-value-size, key: "move-value-size:{id}", database: 0}
  - {name: move-value-size, key: "move-value-size:{id}", limits: {value: 1}, database: 1}
  - {name: from-elements, key: "move-elements:{id}", database: 0}
  - {name: move-elements, key: "move-elements:{id}", limits: {elements: 1}, database: 1}
  - {name: from-format, key: "move-format:{id}", database: 0}
  - {name: move-format, key: "move-format:{id}", value: uuid, database: 1}
  - {name: from-field, key: "move-field:{id}", database: 0}
  - {name: move-field, key: "move-field:{id}", fields: {known: any}, only-these-fields: true, database: 1}
  - {name: from-lifetime-missing, key: "move-lifetime-missing:{id}", database: 0}
  - {name: move-lifetime-missing, key: "move-lifetime-missing:{id}", lifetime: {required: true}, database: 1}
  - {name: move-database, key: "move-database:{id}", database: 0}
"""

# What a command that makes a key of a type can break by it.
OUTSIDE = {'type', 'database', 'key-size', 'value-size', 'unmatched'}
MAKES = {
    'string': OUTSIDE | {'format'},
    'list': OUTSIDE | {'format', 'elements'},
    'set': OUTSIDE | {'format', 'elements'},
    'zset': OUTSIDE | {'format', 'elements'},
    'hash': OUTSIDE | {'format', 'elements', 'field'},
    'stream': OUTSIDE | {'format', 'elements', 'field'},
}
LONG = 'x' * 200
UUID = '123e4567-e89b-12d3-a456-426614174000'


class Writes:
    """How a command breaks policies. makes: the type of key that it makes where there is none.

    creates: arguments for a key that is not there, K. Each of the others is (preparations, arguments). says: it can say a
    lifetime, so that to leave it out is refused.
    """

    def __init__(self, makes, creates=None, prepare=(), says=False, skip=(), **others):
        self.makes, self.cases = makes, {}
        wanted = set(MAKES[makes]) | ({'lifetime-missing'} if says else set())
        for policy in wanted - set(skip):
            if policy in others:
                self.cases[policy] = others.pop(policy)
            elif policy.replace('-', '_') in others:
                self.cases[policy] = others.pop(policy.replace('-', '_'))
            else:
                self.cases[policy] = (prepare, creates)
        assert not others, others


def existing(makes, prepare, arguments, *policies, **others):
    """A command that only changes keys that are there, and by that breaks these policies alone."""
    cases = {policy: (prepare, arguments) for policy in policies}
    cases.update({policy.replace('_', '-'): case for policy, case in others.items()})
    return Writes(makes, skip=set(MAKES[makes]) - set(cases), says='lifetime-missing' in cases,
                  **{policy.replace('-', '_'): case for policy, case in cases.items()})


def takes(why):
    return why


LISTS = [('RPUSH', 'free:l', LONG, 'b'), ('RPUSH', 'free:one', LONG)]
SETS = [('SADD', 'free:s', LONG, 'b'), ('SADD', 'free:t', LONG, 'b', 'c')]
ZSETS = [('ZADD', 'free:z', 1, LONG, 2, 'b'), ('ZADD', 'free:y', 1, LONG, 2, 'b', 3, 'c')]
PLACES = [('GEOADD', 'free:g', 13.3, 38.1, LONG, 15.0, 37.5, 'b')]
STRING = [('SET', 'free:v', 'xx')]
HASH = [('HSET', 'free:h', 'other', LONG, 'more', 2)]
ONE = [('RPUSH', 'K', 'a')]
moved = lambda *arguments: Writes('list', arguments, LISTS, elements=(LISTS + ONE, arguments))  # noqa: E731

COMMANDS = {
    'set': Writes('string', ('SET', 'K', 'xx'), says=True),
    'setnx': Writes('string', ('SETNX', 'K', 'xx'), says=True),
    'getset': Writes('string', ('GETSET', 'K', 'xx'), says=True),
    'setex': Writes('string', ('SETEX', 'K', 100, 'xx')),
    'psetex': Writes('string', ('PSETEX', 'K', 100000, 'xx')),
    'mset': Writes('string', ('MSET', 'free:1', 1, 'K', 'xx'), says=True),
    'msetnx': Writes('string', ('MSETNX', 'free:1', 1, 'K', 'xx'), says=True),
    'msetex': Writes('string', ('MSETEX', 2, 'free:1', 1, 'K', 'xx'), says=True),
    'append': Writes('string', ('APPEND', 'K', 'xx')),
    'setrange': Writes('string', ('SETRANGE', 'K', 1, 'x')),
    'setbit': Writes('string', ('SETBIT', 'K', 9, 1)),
    'bitfield': Writes('string', ('BITFIELD', 'K', 'SET', 'u8', 8, 65)),
    'bitop': Writes('string', ('BITOP', 'OR', 'K', 'free:v'), STRING),
    'incr': Writes('string', ('INCR', 'K'), value_size=([('SET', 'K', 9)], ('INCR', 'K'))),
    'incrby': Writes('string', ('INCRBY', 'K', 10)),
    'decr': Writes('string', ('DECR', 'K')),
    'decrby': Writes('string', ('DECRBY', 'K', 10)),
    'incrbyfloat': Writes('string', ('INCRBYFLOAT', 'K', 1.5)),
    'pfadd': Writes('string', ('PFADD', 'K', 'a')),
    'pfmerge': Writes('string', ('PFMERGE', 'K', 'free:p'), [('PFADD', 'free:p', 'a')]),
    'pfdebug': Writes('string', skip=MAKES['string']),
    'getex': existing('string', [('SET', 'K', 'v', 'EX', 100)], ('GETEX', 'K', 'PERSIST'), 'lifetime-missing'),
    'persist': existing('string', [('SET', 'K', 'v', 'EX', 100)], ('PERSIST', 'K'), 'lifetime-missing'),
    'lpush': Writes('list', ('LPUSH', 'K', 'a', 'b')),
    'rpush': Writes('list', ('RPUSH', 'K', 'a', 'b')),
    'lpushx': existing('list', ONE, ('LPUSHX', 'K', LONG), 'value-size', 'format', 'elements'),
    'rpushx': existing('list', ONE, ('RPUSHX', 'K', LONG), 'value-size', 'format', 'elements'),
    'linsert': existing('list', ONE, ('LINSERT', 'K', 'AFTER', 'a', LONG), 'value-size', 'format', 'elements'),
    'lset': existing('list', ONE, ('LSET', 'K', 0, LONG), 'value-size', 'format'),
    'lmove': moved('LMOVE', 'free:l', 'K', 'LEFT', 'RIGHT'),
    'blmove': moved('BLMOVE', 'free:l', 'K', 'RIGHT', 'RIGHT', 0.1),
    'rpoplpush': moved('RPOPLPUSH', 'free:l', 'K'),
    'brpoplpush': moved('BRPOPLPUSH', 'free:l', 'K', 0.1),
    'sort': Writes('list', ('SORT', 'free:l', 'ALPHA', 'STORE', 'K'), LISTS),
    'sadd': Writes('set', ('SADD', 'K', 'a', 'b')),
    'smove': Writes('set', ('SMOVE', 'free:s', 'K', 'b'), SETS, elements=(SETS + [('SADD', 'K', 'a')], ('SMOVE', 'free:s', 'K', 'b'))),
    'sinterstore': Writes('set', ('SINTERSTORE', 'K', 'free:s', 'free:t'), SETS),
    'sunionstore': Writes('set', ('SUNIONSTORE', 'K', 'free:s', 'free:t'), SETS),
    'sdiffstore': Writes('set', ('SDIFFSTORE', 'K', 'free:t', 'free:none'), SETS),
    'zadd': Writes('zset', ('ZADD', 'K', 'CH', 1, 'a', 2, 'b')),
    'zincrby': Writes('zset', ('ZINCRBY', 'K', 1, 'b'), elements=([('ZADD', 'K', 1, 'a')], ('ZINCRBY', 'K', 1, 'b'))),
    'zunionstore': Writes('zset', ('ZUNIONSTORE', 'K', 2, 'free:z', 'free:y'), ZSETS),
    'zinterstore': Writes('zset', ('ZINTERSTORE', 'K', 2, 'free:z', 'free:y'), ZSETS),
    'zdiffstore': Writes('zset', ('ZDIFFSTORE', 'K', 2, 'free:y', 'free:none'), ZSETS),
    'zrangestore': Writes('zset', ('ZRANGESTORE', 'K', 'free:z', 0, -1), ZSETS),
    'geoadd': Writes('zset', ('GEOADD', 'K', 13.3, 38.1, 'a', 15.0, 37.5, 'b')),
    'geosearchstore': Writes('zset', ('GEOSEARCHSTORE', 'K', 'free:g', 'FROMMEMBER', 'b', 'BYRADIUS', 500, 'km'), PLACES),
    'georadius': Writes('zset', ('GEORADIUS', 'free:g', 15, 37, 500, 'km', 'STORE', 'K'), PLACES),
    'georadiusbymember': Writes('zset', ('GEORADIUSBYMEMBER', 'free:g', 'b', 500, 'km', 'STOREDIST', 'K'), PLACES),
    'hset': Writes('hash', ('HSET', 'K', 'a', 'b', 'c', 'd')),
    'hmset': Writes('hash', ('HMSET', 'K', 'a', 'b', 'c', 'd')),
    'hsetnx': Writes('hash', ('HSETNX', 'K', 'a', 'b'), elements=([('HSET', 'K', 'known', 1)], ('HSETNX', 'K', 'a', 'b'))),
    'hsetex': Writes('hash', ('HSETEX', 'K', 'EX', 100, 'FIELDS', 2, 'a', 'b', 'c', 'd')),
    'hincrby': Writes('hash', ('HINCRBY', 'K', 'n', 1), elements=([('HSET', 'K', 'known', 1)], ('HINCRBY', 'K', 'n', 1))),
    'hincrbyfloat': Writes('hash', ('HINCRBYFLOAT', 'K', 'n', 1.5), elements=([('HSET', 'K', 'known', 1)], ('HINCRBYFLOAT', 'K', 'n', 1.5))),
    'xadd': Writes('stream', ('XADD', 'K', '*', 'a', 'b'), elements=([('XADD', 'K', '1-1', 'known', 1)], ('XADD', 'K', 'MAXLEN', '=', 2, '*', 'a', 'b'))),
    'xgroup|create': Writes('stream', ('XGROUP', 'CREATE', 'K', 'g', '$', 'MKSTREAM'), skip={'format', 'field', 'elements'}),
    'rename': Writes('hash', ('RENAME', 'free:h', 'K'), HASH, says=True),
    'renamenx': Writes('hash', ('RENAMENX', 'free:h', 'K'), HASH, says=True),
    'copy': Writes('hash', ('COPY', 'free:h', 'K'), HASH, says=True),
    'move': Writes('hash', ('MOVE', 'K', 1), [('HSET', 'K', 'other', LONG, 'more', 2)], says=True, skip={'key-size', 'unmatched'}),
    'restore': Writes('hash', ('RESTORE', 'K', 0, 'DUMP'), HASH, says=True),
    'restore-asking': Writes('hash', ('RESTORE-ASKING', 'K', 0, 'DUMP'), HASH, says=True),
}

# What takes away only, changes who has read what, or empties whole databases, breaks nothing.
HARMLESS = set('''
    del unlink delifeq delex getdel flushall flushdb swapdb catalog|purge function|delete function|flush function|load
    function|restore lpop rpop lmpop blpop brpop blmpop ltrim lrem spop srem zrem zpopmin zpopmax bzpopmin bzpopmax zmpop
    bzmpop zremrangebyscore zremrangebyrank zremrangebylex hdel hgetdel hgetex hexpire hpexpire hexpireat hpexpireat
    hpersist xack xackdel xautoclaim xclaim xdel xdelex xreadgroup xsetid xtrim xgroup|createconsumer xgroup|delconsumer
    xgroup|destroy xgroup|setid migrate
    '''.split())
# What gives lifetimes is cut to the longest (test_long_lifetimes).
LIFETIMES = {'expire', 'pexpire', 'expireat', 'pexpireat'}


def key_for(policy, writes, command):
    """The key that a case writes to, of a pattern that forbids it; and the pattern's name."""
    prefix = 'move-' if command == 'move' else ''
    if policy == 'type' and not prefix:
        pattern = 'string' if writes.makes == 'list' else 'list'
    else:
        pattern = prefix + policy
    return {'unmatched': 'elsewhere', 'key-size': 'key-size:' + LONG}.get(pattern, pattern + ':1'), pattern


def as_dict(reply):
    if isinstance(reply, list):
        reply = dict(zip(reply[::2], reply[1::2]))
    return {key.decode(): value for key, value in reply.items()}


@pytest.fixture(scope='module')
def strict(server, tmp_path_factory):
    """A client of a server with the catalog, which is enforced by whoever says so."""
    path = tmp_path_factory.mktemp('catalog') / 'strict.yaml'
    path.write_text(CATALOG)
    client = redis.Redis(port=server.port)
    client.response_callbacks.clear()
    client.execute_command('CATALOG', 'LOAD', str(path))
    yield client
    client.execute_command('CATALOG', 'UNLOAD', 'strict')
    client.execute_command('CONFIG', 'SET', 'catalog-mode', 'observe')
    client.execute_command('FLUSHALL')


def enforce(client, mode='enforce'):
    client.execute_command('CONFIG', 'SET', 'catalog-mode', mode)


def picture(client):
    """Everything that there is, byte for byte, and what was counted of it."""
    found = {}
    for db in (1, 0):
        client.execute_command('SELECT', db)
        for key in client.execute_command('KEYS', '*'):
            found[db, key] = [client.execute_command(*command, key)
                              for command in (('DUMP',), ('OBJECT', 'ENCODING'), ('PEXPIRETIME',))]
    for line in client.execute_command('CATALOG', 'STATS'):
        line = as_dict(line)
        found[line['pattern']] = [line[name] for name in ('keys', 'bytes', 'writes')]
    return found


def violations(client, pattern):
    found = as_dict(client.execute_command('CATALOG', 'STATS', pattern))
    return found['violations']


def writing_commands(client):
    found = set()

    def walk(rows):
        for row in rows:
            if b'write' in row[2]:
                found.add(row[0].decode())
            walk(row[9] if len(row) > 9 else [])

    walk(client.execute_command('COMMAND'))
    return found


def test_every_command_is_here(strict):
    known = set(COMMANDS) | HARMLESS | LIFETIMES
    assert writing_commands(strict) <= known, writing_commands(strict) - known


CASES = [(command, policy) for command, writes in sorted(COMMANDS.items()) for policy in sorted(writes.cases)]


@pytest.mark.parametrize('command,policy', CASES, ids=['%s-%s' % case for case in CASES])
def test_refused(strict, command, policy):
    if command not in writing_commands(strict):
        pytest.skip('no such command')
    prepare, arguments = COMMANDS[command].cases[policy]
    key, pattern = key_for(policy, COMMANDS[command], command)
    name = {'unmatched': '(unmatched)'}.get(pattern, pattern)
    put = lambda words: [key if word == 'K' else word for word in words]  # noqa: E731
    enforce(strict, 'off')
    strict.execute_command('FLUSHALL')
    for words in prepare:
        strict.execute_command(*put(words))
    if 'DUMP' in arguments:
        arguments = [strict.execute_command('DUMP', 'free:h') if word == 'DUMP' else word for word in arguments]
    enforce(strict)
    before, counted = picture(strict), violations(strict, name)
    with pytest.raises(redis.ResponseError) as error:
        strict.execute_command(*put(arguments))
    assert str(error.value).startswith(f'CATALOG {policy}: '), error.value
    assert picture(strict) == before
    assert violations(strict, name) == counted + 1
    newest = as_dict(strict.execute_command('CATALOG', 'VIOLATIONS', 'COUNT', 1)[0])
    assert (newest['kind'].decode(), newest['prevented']) == (policy, 1)
    assert str(error.value) == f'CATALOG {policy}: ' + newest['message'].decode()
    # Nothing else stands in its way: where it is observed it runs, and is noted.
    enforce(strict, 'observe')
    if policy == 'unmatched':
        return  # denied whatever the mode
    strict.execute_command(*put(arguments))
    assert picture(strict) != before
    newest = as_dict(strict.execute_command('CATALOG', 'VIOLATIONS', 'COUNT', 1)[0])
    assert (newest['kind'].decode(), newest['prevented']) == (policy, 0)
    assert violations(strict, name) == counted + 2


@pytest.fixture
def clean(strict):
    """The same client, with nothing there and everything enforced."""
    enforce(strict, 'off')
    strict.execute_command('FLUSHALL')
    strict.execute_command('CATALOG', 'VIOLATIONS', 'CLEAR')
    enforce(strict)
    return strict


def refused(client, kind, *arguments):
    with pytest.raises(redis.ResponseError) as error:
        client.execute_command(*arguments)
    assert str(error.value).startswith(f'CATALOG {kind}: '), error.value
    return str(error.value)


def noted(client):
    found = [as_dict(each) for each in client.execute_command('CATALOG', 'VIOLATIONS', 'COUNT', 100)]
    return [(each['kind'].decode(), each['key'].decode(), each['prevented']) for each in reversed(found)]


def test_what_would_do_nothing_is_not_refused(clean):
    do = clean.execute_command
    enforce(clean, 'off')
    do('SET', 'format:s', 'old')
    do('HSET', 'format:h', 'f', 'old')
    do('SADD', 'format:t', 'old')
    do('ZADD', 'format:z', 1, 'old')
    do('RPUSH', 'elements:l', 1, 2)
    do('SET', 'lifetime-missing:s', 'old')
    enforce(clean)
    before = picture(clean)
    assert do('SETNX', 'format:s', 'new') == 0
    assert do('SET', 'format:s', 'new', 'NX') is None
    assert do('SET', 'format:other', 'new', 'XX') is None
    assert do('MSETNX', 'free:x', 1, 'format:s', 'new') == 0
    assert do('MSETEX', 2, 'free:x', 1, 'format:s', 'new', 'NX') == 0
    assert do('HSETNX', 'format:h', 'f', 'new') == 0
    assert do('SADD', 'format:t', 'old') == 0
    assert do('ZADD', 'format:z', 'XX', 5, 'new') == 0
    assert do('LPUSHX', 'format:none', 'new') == 0
    assert do('LINSERT', 'elements:l', 'BEFORE', 'none', 'new') == -1
    assert do('SMOVE', 'free:none', 'format:t', 'x') == 0
    assert do('LMOVE', 'free:none', 'elements:l', 'LEFT', 'LEFT') is None
    assert do('XADD', 'format:x', 'NOMKSTREAM', '*', 'a', 'b') is None
    assert do('RENAMENX', 'format:s', 'format:h') == 0
    assert do('COPY', 'format:h', 'format:s') == 0
    assert do('SETNX', 'lifetime-missing:s', 'x') == 0
    assert do('SET', 'lifetime-missing:s', 'x', 'NX') is None
    assert do('SINTERSTORE', 'format:none', 'format:t', 'free:none') == 0
    for arguments in (('SET', 'format:s', 'x', 'EX', 'soon'), ('HINCRBY', 'format:h', 'f', 1),
                      ('LSET', 'elements:l', 9, 'x'), ('INCR', 'format:s'), ('LPUSH', 'format:s', 'x'),
                      ('RENAME', 'free:none', 'format:s'), ('RESTORE', 'format:new', 0, 'broken')):
        with pytest.raises(redis.ResponseError) as error:
            do(*arguments)
        assert 'CATALOG' not in str(error.value)
    assert {key: value for key, value in picture(clean).items() if isinstance(key, tuple)} == \
        {key: value for key, value in before.items() if isinstance(key, tuple)}
    assert noted(clean) == []


def test_what_was_there_is_not_held_against_a_write(clean):
    do = clean.execute_command
    enforce(clean, 'off')
    do('RPUSH', 'elements:l', 1, 2, 3)
    do('HSET', 'format:h', 'bad', 'x')
    do('SADD', 'format:s', 'bad')
    do('RPUSH', 'string:1', 'no string')
    do('SET', 'value-size:1', 'xxxxx')
    do('HSET', 'lifetime-missing:h', 'f', 1)
    enforce(clean)
    assert do('LPOP', 'elements:l') == b'1'
    refused(clean, 'elements', 'RPUSH', 'elements:l', 4)
    assert do('LMOVE', 'elements:l', 'elements:l', 'LEFT', 'RIGHT') == b'2'
    assert do('LTRIM', 'elements:l', 0, 0) == b'OK'
    assert do('HSET', 'format:h', 'good', UUID) == 1
    refused(clean, 'format', 'HSET', 'format:h', 'bad', 'still')
    assert do('SADD', 'format:s', UUID) == 1
    assert do('SMOVE', 'format:s', 'format:t', UUID) == 1
    assert do('RPUSH', 'string:1', 'more') == 2
    refused(clean, 'type', 'SORT', 'string:1', 'ALPHA', 'STORE', 'string:1')
    assert do('SETRANGE', 'value-size:1', 0, 'y') == 5
    refused(clean, 'value-size', 'APPEND', 'value-size:1', 'y')
    refused(clean, 'value-size', 'SET', 'value-size:1', 'yyyyyy')
    assert do('HSET', 'lifetime-missing:h', 'f', 2) == 0
    assert do('RENAME', 'lifetime-missing:h', 'lifetime-missing:i') == b'OK'


def test_lifetimes_that_must_be_said(clean):
    do = clean.execute_command
    assert do('SET', 'lifetime-missing:s', 'x', 'EX', 100) == b'OK'
    assert do('SET', 'lifetime-missing:s', 'y', 'KEEPTTL') == b'OK'
    for arguments, hint in ((('SET', 'lifetime-missing:s', 'z'), 'EX seconds'),
                            (('GETSET', 'lifetime-missing:s', 'z'), 'SET key value GET EX'),
                            (('PERSIST', 'lifetime-missing:s'), 'EXPIRE'),
                            (('GETEX', 'lifetime-missing:s', 'PERSIST'), 'GETEX with EX'),
                            (('SET', 'lifetime-missing:t', 'z', 'KEEPTTL'), 'EX seconds')):
        assert hint in refused(clean, 'lifetime-missing', *arguments)
    assert do('GET', 'lifetime-missing:s') == b'y' and 90 < do('TTL', 'lifetime-missing:s') <= 100
    assert do('GETEX', 'lifetime-missing:s', 'EX', 50) == b'y'
    assert do('MSETEX', 1, 'lifetime-missing:m', 'x', 'EX', 100) == 1
    assert do('RESTORE', 'lifetime-missing:r', 1000, do('DUMP', 'lifetime-missing:s')) == b'OK'
    do('SET', 'free:s', 'x', 'EX', 100)
    assert do('RENAME', 'free:s', 'lifetime-missing:u') == b'OK'
    assert do('COPY', 'lifetime-missing:u', 'lifetime-missing:v') == 1
    # What takes the lifetime with it cannot say another.
    assert do('SETEX', 'lifetime-missing:s', 100, 'x') == b'OK'


def test_long_lifetimes(clean):
    do = clean.execute_command
    now = do('TIME')[0].decode()
    for number, arguments in enumerate([
            ('SET', 'K', 'x', 'EX', 1000), ('SETEX', 'K', 1000, 'x'), ('PSETEX', 'K', 1000000, 'x'),
            ('EXPIRE', 'K', 1000), ('PEXPIRE', 'K', 1000000), ('EXPIREAT', 'K', int(now) + 1000),
            ('PEXPIREAT', 'K', int(now + '000') + 1000000), ('GETEX', 'K', 'EX', 1000),
            ('MSETEX', 1, 'K', 'x', 'EX', 1000), ('RENAME', 'free:K', 'K'), ('COPY', 'free:K', 'K'),
            ('RESTORE', 'K', 1000000, do('DUMP', 'free:K') or 'DUMP')]):
        key = f'lifetime-long:{number}'
        if arguments[0] in ('EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT', 'GETEX'):
            do('SET', key, 'x')
        do('SET', 'free:K', 'x', 'EX', 1000)
        arguments = [do('DUMP', 'free:K') if word == 'DUMP' else key if word == 'K' else word for word in arguments]
        do(*arguments)
        assert 59_000 < do('PTTL', key) <= 60_000, arguments
        assert noted(clean)[number:] == [('lifetime-long', key, 1)]
        assert do('EXPIRE', key, 10) == 1 and do('TTL', key) <= 10


def test_large_collections(clean):
    """Beyond what is copied for a trial, arguments decide."""
    do = clean.execute_command
    enforce(clean, 'off')
    big = list(range(6000))
    do('RPUSH', 'format:l', *big)
    do('SADD', 'format:s', *big)
    do('HSET', 'format:h', *[word for each in big for word in (each, UUID)])
    do('ZADD', 'format:z', *[word for each in big for word in (each, each)])
    for entry in range(6000):
        do('XADD', 'format:x', '*', 'f', UUID)
    do('RPUSH', 'free:l', 'bad', UUID)
    enforce(clean)
    before = picture(clean)
    for arguments in (('RPUSH', 'K:l', 'x'), ('LSET', 'K:l', 0, 'x'), ('LINSERT', 'K:l', 'BEFORE', 5, 'x'),
                      ('LMOVE', 'free:l', 'K:l', 'LEFT', 'LEFT'), ('SADD', 'K:s', 'x'), ('HSET', 'K:h', 1, 'x'),
                      ('HINCRBY', 'K:h', 'n', 1), ('HINCRBYFLOAT', 'K:h', 'n', 1), ('HSETNX', 'K:h', 'n', 'x'),
                      ('ZADD', 'K:z', 1, 'x'), ('ZINCRBY', 'K:z', 1, 'x'), ('GEOADD', 'K:z', 1, 1, 'x'),
                      ('XADD', 'K:x', '*', 'f', 'x'), ('XADD', 'K:x', 'MAXLEN', '~', 10, '*', 'f', 'x')):
        refused(clean, 'format', *[word.replace('K:', 'format:') if isinstance(word, str) else word for word in arguments])
    assert picture(clean) == before
    assert do('RPUSH', 'format:l', UUID) == 6001
    assert do('LMOVE', 'free:l', 'format:l', 'RIGHT', 'LEFT') == UUID.encode()
    assert do('SADD', 'format:s', UUID) == 1 and do('HSET', 'format:h', 1, UUID) == 0
    assert do('ZADD', 'format:z', 1, UUID) == 1 and do('XADD', 'format:x', '*', 'f', UUID)


def test_nobody_hears_of_what_was_refused(clean, server):
    do = clean.execute_command
    do('CONFIG', 'SET', 'notify-keyspace-events', 'KEA')
    listener = redis.Redis(port=server.port).pubsub()
    listener.psubscribe('__key*__:*')
    listener.get_message(timeout=5)
    watcher = redis.Redis(port=server.port).pipeline()
    watcher.watch('elements:l')
    waiter = redis.Redis(port=server.port)
    do('RPUSH', 'elements:l', 1)
    watcher.unwatch()
    watcher.watch('elements:l', 'type:x')
    watcher.multi()
    watcher.get('free:x')
    refused(clean, 'elements', 'RPUSH', 'elements:l', 2)
    refused(clean, 'type', 'SET', 'list:x', 2)
    assert watcher.execute() == [None]
    do('SET', 'free:end', 1)
    heard = []
    while not heard or heard[-1] != b'free:end':
        message = listener.get_message(timeout=5)
        heard.append(message['data'])
    assert b'elements:l' in heard and b'list:x' not in heard and heard.count(b'rpush') == 1
    do('CONFIG', 'SET', 'notify-keyspace-events', '')
    waiter.close()


def test_transactions_and_scripts(clean):
    do = clean.execute_command
    pipe = redis.Redis(connection_pool=clean.connection_pool).pipeline(transaction=True)
    pipe.set('list:1', 'x')  # queued: what the others of a transaction do to a key is not known yet
    pipe.set('free:1', 'x')
    pipe.append('format:1', 'x')
    found = pipe.execute(raise_on_error=False)
    assert str(found[0]).startswith('CATALOG type: ') and str(found[2]).startswith('CATALOG format: ')
    assert do('GET', 'free:1') == b'x' and do('EXISTS', 'list:1', 'format:1') == 0
    script = "redis.call('SET', KEYS[1], 'x') return redis.call('APPEND', KEYS[2], 'y')"
    with pytest.raises(redis.ResponseError, match='^CATALOG format: ') as error:
        do('EVAL', script, 2, 'free:2', 'format:2')
    assert "'format:2' must hold uuid" in str(error.value)
    assert do('GET', 'free:2') == b'x' and do('EXISTS', 'format:2') == 0
    script = "local e = redis.pcall('RPUSH', KEYS[1], 1, 2) redis.call('SET', 'free:4', e.err) return e"
    refused(clean, 'elements', 'EVAL', script, 1, 'elements:3')
    assert do('GET', 'free:4').startswith(b'CATALOG elements: ') and do('EXISTS', 'elements:3') == 0
    do('FUNCTION', 'LOAD', 'REPLACE', """#!lua name=strict
        redis.register_function('put', function(keys) return redis.call('LPUSH', keys[1], 'a', 'b') end)""")
    refused(clean, 'elements', 'FCALL', 'put', 1, 'elements:5')
    assert do('EXISTS', 'elements:5') == 0
    do('FUNCTION', 'DELETE', 'strict')


def test_blocked_clients(clean, server):
    """Who waits gets the error when its turn comes; the element stays for the next one."""
    do = clean.execute_command
    first, second = redis.Redis(port=server.port), redis.Redis(port=server.port)
    waiting = first.connection_pool.get_connection('BLMOVE')
    waiting.send_command('BLMOVE', 'free:q', 'format:l', 'LEFT', 'LEFT', 0)
    while int(redis.Redis(port=server.port).info('clients')['blocked_clients']) < 1:
        pass
    other = second.connection_pool.get_connection('BLPOP')
    other.send_command('BLPOP', 'free:q', 0)
    while int(redis.Redis(port=server.port).info('clients')['blocked_clients']) < 2:
        pass
    assert do('RPUSH', 'free:q', 'job') == 1
    with pytest.raises(redis.ResponseError, match='^CATALOG format: '):
        waiting.read_response()
    assert other.read_response() == [b'free:q', b'job']
    assert do('EXISTS', 'format:l', 'free:q') == 0
    assert noted(clean) == [('format', 'format:l', 1)]


@pytest.mark.parametrize('protocol', [2, 3])
def test_the_reply_on_the_wire(clean, server, protocol):
    with resp.Client(server.address) as raw:
        if protocol == 3:
            raw.call('HELLO', 3)
        kind, text = raw.call('SET', b'list:\xff\xc3\xa4\n', 'x')
        assert kind == '-'
        assert text == b"CATALOG type: 'list:\\xff\xc3\xa4\\x0a' must be a list (pattern list of strict)"
        assert raw.call('GET', 'list:1') == (('_', None) if protocol == 3 else ('$', None))
        kind, newest = raw.call('CATALOG', 'VIOLATIONS', 'COUNT', 1)[1][0]
        assert kind == ('%' if protocol == 3 else '*')
        stats = raw.call('INFO', 'errorstats')[1]
        assert b'errorstat_CATALOG:count=' in stats


# ---- modes ----

MODES = ['off', 'observe', 'enforce']


def mode_catalog(path, catalog=None, pattern=None, unmatched='allow'):
    path.write_text('keynome: 1\nname: modes\n' + (f'mode: "{catalog}"\n' if catalog else '') +
                    f'unmatched: {unmatched}\npatterns:\n  - key: "a:{{id}}"\n    type: list\n' +
                    (f'    mode: "{pattern}"\n' if pattern else ''))
    return str(path)


def outcome(client, key):
    client.execute_command('CATALOG', 'VIOLATIONS', 'CLEAR')
    try:
        client.execute_command('SET', key, 'x')
        found = 'observe' if client.execute_command('CATALOG', 'VIOLATIONS') else 'off'
    except redis.ResponseError as error:
        assert str(error).startswith('CATALOG ')
        found = 'enforce'
    client.execute_command('DEL', key)
    return found


def test_modes(start, tmp_path):
    """The pattern's mode, else the catalog's, else that of CATALOG LOAD, else catalog-mode; in every combination."""
    client = redis.Redis(port=start().port)
    for pattern in [None, *MODES]:
        for catalog in [None, *MODES]:
            path = mode_catalog(tmp_path / 'modes.yaml', catalog, pattern)
            for loaded in [None, *MODES]:
                client.execute_command('CATALOG', 'LOAD', path, *(['MODE', loaded] if loaded else []))
                for default in MODES:
                    client.config_set('catalog-mode', default)
                    wanted = pattern or catalog or loaded or default
                    assert outcome(client, 'a:1') == wanted, (pattern, catalog, loaded, default)
                    line = as_dict(client.execute_command('CATALOG', 'DESCRIBE')[0])
                    assert line['mode'].decode() == wanted
                    listed = as_dict(client.execute_command('CATALOG', 'LIST')[0])
                    assert listed['mode'].decode() == (catalog or loaded or default)


def test_unmatched(start, tmp_path):
    """What `unmatched` says holds unless the catalog is off."""
    client = redis.Redis(port=start().port)
    for catalog in [None, *MODES]:
        for unmatched, wanted in (('allow', 'off'), ('observe', 'observe'), ('deny', 'enforce')):
            client.execute_command('CATALOG', 'LOAD', mode_catalog(tmp_path / 'modes.yaml', catalog, None, unmatched))
            for default in MODES:
                client.config_set('catalog-mode', default)
                assert outcome(client, 'b:1') == ('off' if (catalog or default) == 'off' else wanted)


def test_mode_of_a_document(start, tmp_path):
    path = tmp_path / 'keys.md'
    path.write_text('| Pattern | Type |\n|---|---|\n| `job:{id}` | list |\n')
    client = redis.Redis(port=start('--catalog', str(path), '--catalog-mode', 'enforce').port)
    assert client.config_get('catalog-mode') == {'catalog-mode': 'enforce'}
    refused(client, 'type', 'SET', 'job:1', 'x')
    client.config_set('catalog-mode', 'observe')
    assert client.set('job:1', 'x')
    reply = as_dict(client.execute_command('CATALOG', 'LOAD', str(path), 'MODE', 'enforce'))
    assert reply['findings'] == [] or all(b'mode' not in each for each in reply['findings'])
    refused(client, 'type', 'SET', 'job:2', 'x')
    with pytest.raises(redis.ResponseError, match='MODE off | observe | enforce'):
        client.execute_command('CATALOG', 'LOAD', str(path), 'MODE', 'loud')
    with pytest.raises(redis.ResponseError):
        client.config_set('catalog-mode', 'inherited')
    stated = tmp_path / 'stated.yaml'
    stated.write_text('keynome: 1\nname: stated\nmode: observe\npatterns:\n  - {key: "s:{id}", type: list}\n')
    reply = as_dict(client.execute_command('CATALOG', 'LOAD', str(stated), 'MODE', 'enforce'))
    assert b"states its mode, 'observe', which stands" in reply['findings'][0]


@pytest.mark.parametrize('mode', ['observe', 'enforce'])
def test_lifetimes_that_come_with_the_next_command(clean, mode):
    do = clean.execute_command
    enforce(clean, mode)
    makers = [('LPUSH', 'K', 'a'), ('HSET', 'K', 'a', 'b'), ('SADD', 'K', 'a'), ('ZADD', 'K', 1, 'a'),
              ('XADD', 'K', '*', 'a', 'b'), ('INCR', 'K'), ('APPEND', 'K', 'a'), ('SETBIT', 'K', 7, 1),
              ('SUNIONSTORE', 'K', 'free:s'), ('SORT', 'free:s', 'ALPHA', 'STORE', 'K'), ('PFADD', 'K', 'a'),
              ('GEOADD', 'K', 1, 1, 'a'), ('BITOP', 'OR', 'K', 'free:v'), ('LMOVE', 'free:l', 'K', 'LEFT', 'LEFT')]
    do('SADD', 'free:s', 'a')
    do('SET', 'free:v', 'a')
    do('RPUSH', 'free:l', 'a', 'b', 'c')
    late, given = [], []
    for number, arguments in enumerate(makers):
        for keys, suffix in ((late, 'late'), (given, 'given')):
            keys.append(f'lifetime-missing:{number}-{suffix}')
            do(*[keys[-1] if word == 'K' else word for word in arguments])
        do('EXPIRE', given[-1], 100)
        do('EXPIRE', 'lifetime-missing:none', 100)
    do('EVAL', "redis.call('HSET', KEYS[1], 'a', 1) redis.call('EXPIRE', KEYS[1], 100)", 1, 'lifetime-missing:script')
    do('EVAL', "redis.call('HSET', KEYS[1], 'a', 1)", 1, 'lifetime-missing:bare')
    do('HSET', 'lifetime-missing:bare', 'b', 2)
    assert noted(clean) == []
    for _ in range(100):
        time.sleep(0.1)
        if len(noted(clean)) > len(makers):
            break
    assert sorted(noted(clean)) == sorted(('lifetime-missing', key, 0) for key in [*late, 'lifetime-missing:bare'])
    newest = as_dict(do('CATALOG', 'VIOLATIONS', 'COUNT', 1)[0])
    assert newest['client'] > 0 and b'follow it with EXPIRE' in newest['message']


def test_a_script_that_begins_again_is_noted_once(clean):
    """It has, with several threads, where it touches what it did not declare."""
    do = clean.execute_command
    script = """redis.pcall('SET', KEYS[1], 'x')
        redis.call('SET', ARGV[1], 'x')
        return redis.pcall('RPUSH', 'elements:' .. ARGV[2], 1, 2)"""
    for number in range(30):
        refused(clean, 'elements', 'EVAL', script + f'-- {number}', 1, f'list:{number}', f'free:{number}', number)
    assert len(noted(clean)) == 60
    assert noted(clean)[-2:] == [('type', 'list:29', 1), ('elements', 'elements:29', 1)]


LIMITS = """\
keynome: 1
name: limits
unmatched: observe
patterns:
  - {name: small, key: "small:{id}", limits: {value: 20kb}}
  - {name: large, key: "large:{id}", limits: {value: 400kb}}
"""


@pytest.mark.parametrize('pattern,bytes_max,element', [('small', 20 << 10, 5), ('small', 20 << 10, 700), ('large', 400 << 10, 100),
                                                       ('large', 400 << 10, 5000)])
def test_limits_of_size_hold(start, tmp_path, pattern, bytes_max, element):
    """Values grow to the limit, near it at least, and not beyond."""
    path = tmp_path / 'limits.yaml'
    path.write_text(LIMITS)
    client = redis.Redis(port=start('--catalog', str(path), '--catalog-mode', 'enforce').port)
    chance = random.Random(element)
    text = lambda: ''.join(chance.choices('abcdefghij', k=chance.randint(element // 2 + 1, element)))  # noqa: E731
    grows = {
        'list': lambda key: ('RPUSH', key, *[text() for _ in range(chance.randint(1, 9))]),
        'ends': lambda key: ('LPUSH', key, text()),
        'hash': lambda key: ('HSET', key, text(), text(), text(), text()),
        'set': lambda key: ('SADD', key, *[text() for _ in range(chance.randint(1, 9))]),
        'integers': lambda key: ('SADD', key, *[chance.randrange(1 << 40) for _ in range(9)]),
        'zset': lambda key: ('ZADD', key, chance.random(), text(), chance.random(), text()),
        'stream': lambda key: ('XADD', key, '*', text(), text()),
        'string': lambda key: ('APPEND', key, text()),
    }
    for name, arguments in grows.items():
        key, failed, brought = f'{pattern}:{name}', 0, 0
        while failed < 20:
            words = arguments(key)
            try:
                client.execute_command(*words)
                brought += sum(len(str(word)) for word in words[2:])
            except redis.ResponseError as error:
                assert str(error).startswith('CATALOG value-size: ')
                failed += 1
        # An observer would not find it too large, and there was use in it.
        client.config_set('catalog-mode', 'observe')
        client.execute_command('CATALOG', 'VIOLATIONS', 'CLEAR')
        client.expire(key, 1000)
        assert client.execute_command('CATALOG', 'VIOLATIONS') == [], name
        client.config_set('catalog-mode', 'enforce')
        assert client.memory_usage(key, samples=0) > bytes_max * 0.7, name


def test_what_is_created_is_told_from_what_is_overwritten(start, tmp_path):
    path = tmp_path / 'limits.yaml'
    path.write_text(LIMITS)
    client = redis.Redis(port=start('--catalog', str(path)).port)
    client.mset({'a': 1, 'b': 2})
    client.mset({'a': 1, 'b': 2, 'c': 3})
    client.set('a', 2)
    client.rpush('l', 1, 2)
    client.rpoplpush('l', 'm')
    client.rpoplpush('l', 'm')
    client.bitop('NOT', 'a', 'b')
    client.setnx('d', 1)
    client.setnx('d', 1)
    assert [key for _, key, _ in noted(client)] == ['a', 'b', 'c', 'l', 'm', 'd']


# ---- what is said of it ----

def test_help_and_documentation_agree(server):
    client = redis.Redis(port=server.port)
    client.response_callbacks.clear()
    catalog = client.execute_command('COMMAND', 'INFO', 'catalog')[0]
    commands = {row[0].decode().split('|')[1].upper() for row in catalog[9]}
    helped = {line.split()[0].decode() for line in client.execute_command('CATALOG', 'HELP')[1:] if not line.startswith(b' ')}
    page = (pathlib.Path(__file__).parent.parent.parent / 'docs' / 'catalog.md').read_text()
    table = page[page.index('| command | what it does |'):page.index('## Modes')]
    first = ' '.join(re.split(r'(?<!\\)\|', line)[1] for line in table.splitlines() if line.startswith('| `'))
    written = {words.split()[1 if words.startswith('CATALOG ') else 0] for words in re.findall('`([^`]+)`', first)}
    assert commands == helped == written
    docs = as_dict(client.execute_command('COMMAND', 'DOCS', 'catalog')[1])
    described = as_dict(docs['subcommands'])
    assert {name.split('|')[1].upper() for name in described} == commands
    for kind in ('type', 'lifetime-missing', 'lifetime-long', 'database', 'key-size', 'value-size', 'elements', 'field', 'format',
                 'unmatched'):
        assert f'| `{kind}` |' in page
