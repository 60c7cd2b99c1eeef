# SPDX-License-Identifier: BSD-3-Clause
"""Connections and what the server says of itself: CLIENT, HELLO, AUTH, COMMAND, CONFIG, INFO."""

from family import Family

CLIENT = [
    'PING', 'PING <val>', 'ECHO <val>', 'SELECT <db>', (0.6, 'QUIT'), (0.6, 'RESET'),
    'HELLO', 'HELLO 2', 'HELLO 3', 'HELLO <count>', 'HELLO 3 SETNAME <member>',
    'HELLO 2 AUTH default <val>', 'HELLO 3 {SETNAME <member>|AUTH default pw|<odd>}',
    'AUTH <val>', 'AUTH default <val>', 'AUTH nobody <val>', 'AUTH <val> <val> <val>',
    'CLIENT ID', 'CLIENT SETNAME <member>', 'CLIENT SETNAME <val>', 'CLIENT GETNAME',
    'CLIENT INFO', (0.5, 'CLIENT LIST'), 'CLIENT LIST ID {id:1} {id:2}', 'CLIENT LIST ID <noid>', 'CLIENT LIST ID {id:1} <noid>',
    'CLIENT LIST TYPE (normal|pubsub|master|replica|slave|abc)', 'CLIENT LIST <odd>',
    'CLIENT KILL ID {id:1}', 'CLIENT KILL {addr:2}', 'CLIENT KILL ADDR {addr:3}',
    'CLIENT KILL ID {id:2} SKIPME (yes|no|abc)', 'CLIENT KILL TYPE pubsub',
    'CLIENT KILL ID <noid>', 'CLIENT KILL <odd>', 'CLIENT KILL ADDR 127.0.0.1:1', 'CLIENT KILL USER nobody',
    'CLIENT KILL TYPE (abc|master|replica)', 'CLIENT KILL ID {id:1} {ID {id:1}|ADDR {addr:1}|TYPE normal|USER default|SKIPME yes}',
    'CLIENT NO-EVICT (on|off|abc)',
    'CLIENT REPLY ON', 'CLIENT REPLY abc', 'CLIENT UNBLOCK {id:1}', 'CLIENT UNBLOCK <noid>',
    'CLIENT UNPAUSE', (0.2, 'CLIENT PAUSE abc'), (0.2, 'CLIENT PAUSE -1'),
    (0.2, 'CLIENT PAUSE 100 abc'), (0.2, 'CLIENT HELP'), (0.5, 'CLIENT <odd>'),
    'nosuch', 'nosuch <val> <val>', (0.2, 'GET'), (0.2, 'get a b'), (0.2, 'client'), (0.2, 'config'),
    (2, 'SET s0 <val>'), (2, 'GET s0'), (0.3, 'SUBSCRIBE <channel>'), 'MULTI', 'EXEC', 'WATCH s0',
    'DISCARD',
]

COMMAND = [
    'COMMAND INFO <name>+', 'COMMAND INFO', 'COMMAND COUNT', 'COMMAND <odd>', 'COMMAND LIST',
    'COMMAND LIST FILTERBY (PATTERN <glob>|ACLCAT (string|read|fast|abc)|MODULE abc|abc <odd>)',
    (0.1, 'COMMAND HELP'),
    (2, 'COMMAND (GETKEYS|GETKEYSANDFLAGS) <call>'), 'COMMAND GETKEYS <name> <odd>',
    'COMMAND GETKEYS', 'COMMAND GETKEYS nosuch a', 'COMMAND GETKEYS GET', 'COMMAND GETKEYS PING',
    'CONFIG GET <setting>', 'CONFIG GET <setting> <setting>', 'CONFIG GET nosuch',
    'CONFIG SET hash-max-listpack-entries <count>', 'CONFIG SET set-max-intset-entries <count>',
    'CONFIG SET zset-max-listpack-value <count>', 'CONFIG SET list-max-listpack-size <idx>',
    'CONFIG SET maxmemory-policy (noeviction|allkeys-lru|allkeys-lfu|abc)',
    'CONFIG SET maxmemory (0|1gb|abc|-1)', 'CONFIG SET timeout (0|100|-1|abc)',
    'CONFIG SET tcp-keepalive (0|300|abc)', 'CONFIG SET lfu-log-factor <count>',
    'CONFIG SET nosuch 1', 'CONFIG SET maxmemory-policy noeviction timeout 0',
    'CONFIG SET timeout 0 timeout 0', 'CONFIG SET loglevel (notice|abc)',
    'CONFIG SET databases 4', 'CONFIG SET slowlog-log-slower-than <count>', 'CONFIG <odd>',
    'CONFIG SET proto-max-bulk-len (512mb|1|abc)', 'CONFIG SET client-query-buffer-limit (1gb|abc)',
    'CONFIG SET maxmemory-samples (5|0|abc)', 'CONFIG SET lazyfree-lazy-user-del (yes|no|abc)',
    (0.1, 'CONFIG HELP'), (0.1, 'CONFIG RESETSTAT'),
    'INFO <section>', 'INFO', 'INFO <section> <section>', 'INFO nosuch', 'INFO everything', 'TIME',
    (0.3, 'TIME 1'), 'DBSIZE', 'SET s0 1', 'OBJECT FREQ s0',
]

SETTINGS = (b'maxmemory', b'maxmemory-policy', b'timeout', b'databases', b'hash-max-*',
            b'hash-max-ziplist-entries', b'set-max-intset-entries', b'zset-max-listpack-*',
            b'list-max-listpack-size', b'list-compress-depth', b'tcp-keepalive', b'requirepass',
            b'maxclients', b'loglevel', b'lfu-*', b'lazyfree-*', b'maxmemory-samples',
            b'proto-max-bulk-len', b'client-query-buffer-limit', b'tcp-backlog', b'*nosuch*',
            b'client-output-buffer-limit', b'slowlog-*', b'TIMEOUT', b'notify-keyspace-events',
            b'appendonly', b'appendfsync', b'active-expire-effort', b'hz', b'supervised')
NAMES = (b'get', b'SET', b'mget', b'del', b'lmpop', b'zunionstore', b'client', b'client|id',
         b'config|get', b'nosuch', b'object', b'object|encoding', b'sort', b'blpop', b'hset',
         b'multi', b'exec', b'watch', b'subscribe', b'select', b'zadd', b'zrange', b'scan', b'sscan',
         b'expire', b'copy', b'move', b'swapdb', b'flushall', b'hello', b'info',
         b'lpush', b'rpoplpush', b'lmove', b'sinter', b'sdiffstore', b'zrangestore', b'hrandfield',
         b'getex', b'incrbyfloat', b'setrange', b'ping', b'echo', b'quit', b'reset', b'auth')


def _more_atoms(atoms, rng):
    from families import hashes, keys, lists, sets, sorting, strings, zsets
    modules = (hashes, keys, lists, sets, sorting, strings, zsets)
    atoms.atom_name = lambda: rng.choice(NAMES)
    atoms.atom_setting = lambda: rng.choice(SETTINGS)
    atoms.atom_glob = lambda: rng.choice((b'*', b'z*', b'get*', b'h?et', b'client*', b'nosuch*'))
    atoms.atom_section = lambda: rng.choice((b'server', b'clients', b'memory', b'stats', b'cpu',
                                             b'keyspace', b'default', b'persistence',
                                             b'replication', b'errorstats', b'cluster'))
    atoms.atom_call = lambda: rng.choice(rng.choice(modules).FAMILIES).command(rng, atoms)


def make_command(family, rng, atoms, length):
    _more_atoms(atoms, rng)
    return [(0, [arg.replace(b'\0', b'0') for arg in family.command(rng, atoms)])
            for _ in range(length)]


SILENT = Family('silent', 'string', [
    'SET s0 <val>', 'GET s0', 'PING', 'ECHO <val>', 'nosuch <val>', 'SUBSCRIBE <channel>',
    'CLIENT REPLY abc', 'CLIENT INFO', 'RESET', 'CLIENT GETNAME', 'HELLO 3', 'CLIENT UNPAUSE',
], probes=None)


def make_client(family, rng, atoms, length):
    atoms.atom_noid = lambda: rng.choice((b'999999', b'0', b'-1', b'abc', b'', b'1x',
                                          b'9223372036854775808'))
    steps = []
    while len(steps) < length:
        conn = rng.randrange(4)
        chance = rng.random()
        if chance < 0.03:
            # On a connection of its own, that never closes: what would be said last is not said.
            steps.append((5, [b'CLIENT', b'REPLY', rng.choice((b'OFF', b'SKIP'))]))
            for _ in range(rng.randrange(4)):
                steps.append((5, SILENT.command(rng, atoms)))
            steps.append((5, [b'CLIENT', b'REPLY', b'ON']))
        elif chance < 0.04:
            steps.append((4, [b'CLIENT', b'PAUSE', b'100000', b'WRITE']))
            steps.append((conn, [b'SET', b's0', b'paused']))
            steps.append((4, [b'GET', b's0']))
            steps.append((4, [b'CLIENT', b'UNPAUSE']))
        else:
            args = family.command(rng, atoms)
            if [arg.upper() for arg in args[:2]] == [b'CLIENT', b'PAUSE'] and len(args) in (3, 4):
                args[2] = b'abc'
            words = [arg.upper() for arg in args]
            if words[0] == b'HELLO' and b'SETNAME' in words[:-1]:
                # A name that comes before a mistake is set by 7.0, not by later servers.
                del args[words.index(b'SETNAME') + 2:]
            if words[:2] == [b'CLIENT', b'KILL']:
                conn = 4  # never itself: how much of a dying connection is still answered varies
            if args[0].upper() == b'SUBSCRIBE':
                conn = 3
            steps.append((conn, args))
    return steps


# Of COMMAND and the like a few words are enough; what differs is said in differences.py.
FAMILIES = [
    Family('clients', 'string', CLIENT, probes=None, mode='multi', make=make_client, broken=0.04),
    Family('command', 'string', COMMAND, probes=None, make=make_command, broken=0.03),
]
