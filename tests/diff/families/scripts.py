# SPDX-License-Identifier: BSD-3-Clause
"""Scripts and functions, generated: commands of all types, errors, conversions both ways, the libraries."""

import hashlib

from family import Family

TEXTS = ["'a'", "'b c'", "''", "'12'", "'-3.5'", "'x\\0y'", "'\\r\\n'", "'ERR it'", "'-CODE it'", "'1e3'", "'nan'"]
NUMBERS = ['0', '1', '-1', '3.7', '-2.5', '1e20', '9007199254740993', '1/3', '1e300', '-0', '2^31', '255', '1/0', '-1/0']
JSON = ['[1,2,{"a":null}]', '{"a":[],"b":{"c":1.5}}', '[]', '"x"', '1e3', 'nonsense', '[1,', '{"1":"x"}', 'true',
        '[0.1,1e15,123456789012345678]']
PACKED = [r'\147\1\2\192', r'\129\161a\203\63\240\0\0\0\0\0\0', r'\220\0', r'\193', r'\217\3abc', r'\210\255\255\255\0', r'']
FORMATS = ['>I2', '<i4', 's', 'c0', '>i8', 'B', 'bhil', '!4bi', 'd', 'f', 'c3', 'I1c0', '>hx', 'q', 'i33']

# Commands with what they take: k a key, v a value, i an integer, f a field, s a score.
COMMANDS = ['set k v', 'get k', 'incr k', 'incrby k i', 'append k v', 'getrange k i i', 'strlen k', 'del k', 'exists k k', 'type k',
            'expire k 100', 'ttl k', 'persist k', 'mget k k', 'setnx k v', 'incrbyfloat k 0.5', 'lpush k v v', 'rpush k v',
            'lrange k 0 -1', 'lpop k', 'llen k', 'lindex k i', 'linsert k before v v', 'lmove k k left right', 'sadd k v v',
            'sismember k v', 'scard k', 'srem k v', 'hset k f v', 'hget k f', 'hgetall k', 'hdel k f',
            'hmget k f f', 'hincrby k f i', 'hlen k', 'zadd k s v', 'zscore k v', 'zrange k 0 -1 withscores', 'zincrby k s v',
            'zrank k v', 'zcard k', 'zrangebyscore k -inf +inf', 'zpopmin k', 'zmscore k v v', 'xadd k 1-* f v', 'xlen k',
            'xrange k - +', 'setbit k 7 1', 'bitcount k', 'getbit k i', 'pfadd k v', 'pfcount k', 'geoadd k 13.3 38.1 v', 'geopos k v',
            'echo v', 'ping', 'ping v', 'select 0', 'dbsize', 'nosuch k', 'get', 'get k k', 'set k', 'multi', 'eval v 0',
            'subscribe v', 'client id', 'config get v', 'object nosuch k', 'object freq k', 'rename k k',
            'copy k k', 'getdel k', 'set k v get', 'keys nothing*', 'randomkey nothing', 'publish v v']


class Writer:
    """Writes one script."""

    def __init__(self, rng, keys, args, declared):
        self.rng, self.keys, self.args, self.declared = rng, keys, args, declared
        self.locals = []

    def pick(self, *choices):
        return self.rng.choice(choices)

    def key(self):
        if not self.declared or self.rng.random() < 0.1:
            return "'%s'" % self.pick('k1', 'k2', 'k3', 'k4')
        return '%s[%d]' % (self.keys, self.rng.randint(1, 3))

    def value(self):
        chance = self.rng.random()
        if chance < 0.45:
            return self.pick(*TEXTS)
        if chance < 0.75:
            return self.pick(*NUMBERS)
        if chance < 0.95:
            return '%s[%d]' % (self.args, self.rng.randint(1, 3))
        return self.pick('{}', 'nil', 'true', self.keys + '[9]')

    def call(self):
        words, name = self.pick(*COMMANDS).split(), self.pick('call', 'call', 'pcall', 'pcall', 'pcall')
        if self.rng.random() < 0.03:
            words = []
        out = []
        for index, word in enumerate(words):
            if index and word in ('k', 'v', 'f', 'i', 's'):
                out.append({'k': self.key, 'v': self.value, 'f': lambda: self.pick("'f'", "'g'", '1'),
                            'i': lambda: self.pick('0', '1', '-1', '7', '2.5', "'x'"),
                            's': lambda: self.pick('1', '2.5', "'inf'", '-1e10', "'x'")}[word]())
            else:
                out.append("'%s'" % word)
        return 'redis.%s(%s)' % (name, ', '.join(out))

    def table(self, depth):
        items = [self.expression(depth + 1) for _ in range(self.rng.randint(0, 4))]
        kind = self.rng.random()
        if kind < 0.5:
            return '{%s}' % ', '.join(items)
        return self.pick('{err = %s}' % self.pick(*TEXTS), '{ok = %s}' % self.pick(*TEXTS), '{double = %s}' % self.pick(*NUMBERS),
                         '{map = {a = %s}}' % (items or ['1'])[0], '{map = {}}', '{set = {m = true}}', '{set = {}}',
                         "{big_number = '%d'}" % self.rng.getrandbits(self.rng.choice((3, 100))),
                         "{verbatim_string = {string = %s, format = '%s'}}" % (self.pick(*TEXTS), self.pick('txt', 'mkd', 'x')),
                         '{verbatim_string = {string = %s}}' % self.pick(*TEXTS), '{map = 1}', '{double = %s}' % self.pick(*TEXTS),
                         '{1, 2, nil, 3}', '{[1] = 1, [3] = 3}', '{a = 1}', '{{}, {{}}}')

    def library(self, depth):
        inner = self.expression(depth + 1)
        return self.pick(
            lambda: 'cjson.encode(%s)' % inner, lambda: "cjson.decode('%s')" % self.pick(*JSON),
            lambda: 'cmsgpack.pack(%s)' % inner, lambda: "cmsgpack.unpack('%s')" % self.pick(*PACKED),
            lambda: 'cmsgpack.unpack(cmsgpack.pack(%s))' % inner,
            lambda: "cmsgpack.unpack_one('%s')" % self.pick(*PACKED),
            lambda: "struct.pack('%s', %s, %s)" % (self.pick(*FORMATS), self.value(), self.value()),
            lambda: "struct.unpack('%s', %s)" % (self.pick(*FORMATS), self.pick("'abcdefghijkl\\0'", "'\\3abc'", "'\\255\\254'")),
            lambda: "struct.size('%s')" % self.pick(*FORMATS),
            lambda: 'bit.%s(%s, %s)' % (self.pick('band', 'bor', 'bxor', 'lshift', 'rshift', 'arshift', 'rol'),
                                        self.pick(*NUMBERS[:4], '255'), self.pick('1', '7', '31')),
            lambda: 'bit.tohex(%s)' % self.pick('255', '-1', '65535.5'), lambda: 'redis.sha1hex(%s)' % self.value(),
            lambda: 'redis.error_reply(%s)' % self.value(), lambda: 'redis.status_reply(%s)' % self.value(),
            lambda: 'tostring(%s)' % self.pick(*TEXTS, *NUMBERS, 'nil', 'true'), lambda: 'tonumber(%s)' % self.value(),
            lambda: 'type(%s)' % inner, lambda: '#%s' % self.pick(self.keys, self.args, "'abc'", '{1,2}'),
            lambda: 'string.format(%s, %s)' % (self.pick("'%d'", "'%s'", "'%5.2f'", "'%q'"), self.pick(*NUMBERS[:6], "'x'")),
            lambda: 'select(2, %s, %s)' % (inner, self.value()), lambda: 'unpack({%s, 2})' % self.value(),
            lambda: 'redis.acl_check_cmd(%s)' % self.pick("'get'", "'nosuch'", "'set', 'a', 'b'"),
            lambda: 'string.rep(%s, 3)' % self.pick(*TEXTS), lambda: '(%s .. %s)' % (self.pick(*TEXTS), self.pick(*NUMBERS[:5])),
            lambda: 'math.%s(%s)' % (self.pick('floor', 'ceil', 'abs', 'sqrt'), self.pick(*NUMBERS[:6])),
            lambda: 'table.concat({%s}, %s)' % (self.pick(*TEXTS), "','"),
            lambda: 'loadstring(%s)' % self.pick("'return 1'", "'x y'", "'\\27Lua'"),
        )()

    def expression(self, depth=0):
        chance = self.rng.random()
        if depth > 3 or chance < 0.2:
            return self.pick(self.value(), self.value(), 'true', 'false', 'nil')
        if chance < 0.45 and self.locals:
            return self.pick(*self.locals)
        if chance < 0.65:
            return self.table(depth)
        return self.library(depth) if chance < 0.85 else self.call()

    def failure(self):
        return self.pick("error('oops')", "error('oops', 0)", "error({err = 'MINE oops'})", "error(redis.error_reply('X y'))", 'error(nil)',
                         'error(7)', 'error(true)', 'undefined_name = 1', 'return undefined_name', 'string.x = 1', "_G['a'] = 1",
                         'redis.nothing()', 'local t = nil t.x = 1', "redis.log(redis.LOG_DEBUG, 'x')", 'redis.log(1)', 'redis.setresp(4)',
                         'redis.set_repl(9)', "rawset(redis, 'a', 1)", "('x')()")

    def statement(self, depth=0):
        chance = self.rng.random()
        if chance < 0.4:
            name = 'v%d' % len(self.locals)
            text = 'local %s = %s' % (name, self.expression() if self.rng.random() < 0.4 else self.call())
            self.locals.append(name)
            return text
        if chance < 0.65:
            return self.call()
        if chance < 0.72:
            return 'redis.setresp(%s)' % self.pick('3', '3', '2')
        if chance < 0.8 and depth < 2:
            kept = list(self.locals)
            body = self.statement(depth + 1)
            self.locals = kept
            return self.pick('for i = 1, 2 do %s end', 'if %s[1] then %%s end' % self.args, 'pcall(function() %s end)',
                             'coroutine.wrap(function() %s end)()') % body
        if chance < 0.83:
            return self.failure()
        if chance < 0.86:
            name = 'v%d' % len(self.locals)
            self.locals.append(name)
            return 'local _, %s = pcall(function() %s end)' % (name, self.failure())
        if chance < 0.89:
            return 'math.randomseed(7) local v%d = math.random(1, 9)' % self.note()
        return 'redis.replicate_commands()' if self.rng.random() < 0.2 and self.keys == 'KEYS' else self.call()

    def note(self):
        self.locals.append('v%d' % len(self.locals))
        return len(self.locals) - 1

    def script(self):
        lines = [self.statement() for _ in range(self.rng.randint(0, 6))]
        lines.append('return ' + self.expression())
        if self.rng.random() < 0.04:
            lines.insert(0, self.pick('(', 'end', 'local = 1'))
        return self.pick('\n', ' ').join(lines)


class ScriptFamily(Family):
    def script(self, rng):
        first = ''
        if rng.random() < 0.15:
            first = rng.choice(['#!lua\n', '#!lua flags=no-writes\n', '#!lua flags=allow-oom,no-cluster\n', '#!lua flags=x\n', '#!lua',
                                '#!perl\n', '#!lua name=x\n', '#!lua flags=\n', '#!lua flags=allow-cross-slot-keys,allow-stale\n'])
        return (first + Writer(rng, 'KEYS', 'ARGV', rng.random() < 0.8).script()).encode('latin-1')

    def arguments(self, rng):
        if rng.random() < 0.05:
            return [rng.choice([b'-1', b'9', b'x', b'', b'1.5'])] + [b'k1'] * rng.randrange(3)
        keys = [rng.choice([b'k1', b'k2', b'k3', b'k4']) for _ in range(3)]
        values = [rng.choice([b'1', b'-7', b'x', b'', b'3.25', b'\x00\xff', b'12345678901234567890']) for _ in range(rng.randrange(4))]
        return [b'3'] + keys + values

    def library(self, rng, name):
        body = Writer(rng, 'keys', 'args', rng.random() < 0.8).script()
        options = rng.choice(['', '', ", flags={'no-writes'}", ", flags={'allow-oom'}, description='d'", ", flags={'x'}", ', nothing=1'])
        text = rng.choice([
            "#!lua name=%s\nredis.register_function('%s', function(keys, args)\n%s end)",
            "#!lua name=%s\nredis.register_function{function_name='%s', callback=function(keys, args)\n%s end" + options + '}',
        ])
        return (text % (name, 'f' + name, body)).encode('latin-1')

    def steps(self, rng, known):
        chance = rng.random()
        if chance < 0.55:
            script = self.script(rng)
            known.append(hashlib.sha1(script).hexdigest().encode())
            return [rng.choice([b'EVAL', b'EVAL', b'EVAL', b'EVAL_RO']), script] + self.arguments(rng)
        if chance < 0.7:
            sha = rng.choice(known) if known and rng.random() < 0.95 else rng.choice([b'x', b'f' * 40])
            if rng.random() < 0.2:
                sha = sha.upper()
            return [rng.choice([b'EVALSHA', b'EVALSHA', b'EVALSHA_RO']), sha] + self.arguments(rng)
        if chance < 0.76:
            script = self.script(rng)
            known.append(hashlib.sha1(script).hexdigest().encode())
            return [b'SCRIPT', b'LOAD', script]
        if chance < 0.8:
            return [b'SCRIPT', b'EXISTS'] + [rng.choice(known or [b'x']) for _ in range(3)]
        if chance < 0.82:
            return [b'SCRIPT'] + rng.choice([[b'FLUSH'], [b'FLUSH', b'ASYNC'], [b'FLUSH', b'x'], [b'KILL'], [b'LOAD'], [b'NOSUCH']])
        if chance < 0.88:
            name = rng.choice('abc')
            return [b'FUNCTION', b'LOAD'] + ([b'REPLACE'] if rng.random() < 0.7 else []) + [self.library(rng, name)]
        if chance < 0.97:
            return [rng.choice([b'FCALL', b'FCALL', b'FCALL_RO']), rng.choice([b'fa', b'fb', b'FC', b'fc', b'none'])] + self.arguments(rng)
        return [b'FUNCTION'] + rng.choice([[b'DELETE', b'a'], [b'DELETE', b'b'], [b'LIST', b'LIBRARYNAME', b'a', b'WITHCODE'], [b'STATS'],
                                           [b'FLUSH'], [b'KILL'], [b'LIST', b'x'], [b'RESTORE', b'x'], [b'NOSUCH']])

    def _steps(self, rng, atoms, length):
        known, steps = [], [(0, [b'SCRIPT', b'FLUSH']), (0, [b'FUNCTION', b'FLUSH'])]
        for key, make in ((b'k1', [b'SET', b'k1', b'7']), (b'k2', [b'RPUSH', b'k2', b'a', b'1']), (b'k3', [b'HSET', b'k3', b'f', b'1'])):
            if rng.random() < 0.5:
                steps.append((0, make))
        while len(steps) < length:
            conn = rng.randrange(self.connections)
            one = self.steps(rng, known)
            if rng.random() < 0.06:
                steps += [(conn, [b'MULTI']), (conn, one), (conn, [b'EXEC'])]
            else:
                steps.append((conn, one))
            if rng.random() < 0.05:
                steps.append((0, [b'~compare']))
        return steps


# Hashes keep the order in which fields came as long as they are short.
SHORT = {'hash-max-listpack-entries': '128', 'hash-max-listpack-value': '64', 'zset-max-listpack-entries': '128',
         'zset-max-listpack-value': '64', 'set-max-intset-entries': '512'}

FAMILIES = [ScriptFamily('scripts', 'string', [], config=SHORT)]
