# SPDX-License-Identifier: BSD-3-Clause
"""When two replies to one command say the same.

Replies are equal when they are equal byte for byte, or when all that differs is
- the order of what the protocol leaves unordered,
- the clock, within a tolerance,
- names of the processes themselves (client ids, addresses, versions).
Everything else is a difference, and needs an entry in differences.py to be accepted.
"""

import re

import resp

SLACK_MS = 20000
SLACK_S = SLACK_MS // 1000


def _key(reply):
    return repr(reply)


def unordered(_args, reply):
    kind, value = reply
    if kind in '*~' and value is not None:
        return kind, sorted(value, key=_key)
    if kind == '%':
        return kind, sorted(value, key=_key)
    return reply


def unordered_pairs(_args, reply):
    """A flat array of name, value, name, value: the pairs have no order."""
    kind, value = reply
    if kind == '*' and value is not None and len(value) % 2 == 0:
        return kind, sorted(zip(value[::2], value[1::2]), key=_key)
    return unordered(_args, reply)


def sort_reply(args, reply):
    """Elements of equal weight come in any order; so does what is not sorted at all."""
    words = [arg.upper() for arg in args[2:]]
    if b'STORE' in words or reply[0] != '*':
        return reply
    if b'BY' not in words:
        return reply
    if b'LIMIT' in words:
        # Which of the equals the limit lets through is open as well.
        return reply[0], len(reply[1])
    return unordered(args, reply)


def scan_reply(_args, reply):
    if reply[0] != '*' or len(reply[1]) != 2:
        return reply
    # A single call promises nothing about how much it returns.  See ~scan and ~guard.
    return reply[0], reply[1][0][0], reply[1][1][0]


def dump_reply(_args, reply):
    # A string's bytes are the same. Elements may lie in other nodes, or in another order: see ~carry.
    kind, value = reply
    return reply if kind != '$' or not value or value[0] == 0 else kind


def hello_reply(_args, reply):
    kind, value = reply
    if kind == '*':
        value = list(zip(value[::2], value[1::2]))
    elif kind != '%':
        return reply
    own = (b'version', b'id', b'server', b'modules', b'availability_zone')
    return kind, [(name, item if name[1] not in own else item[0]) for name, item in value
                  if name[1] != b'availability_zone']


# What two servers must agree on in CLIENT LIST.  The rest is ids, ages and buffer sizes.
CLIENT_FIELDS = (b'name', b'db', b'sub', b'psub', b'ssub', b'multi', b'flags', b'cmd', b'user',
                 b'redir', b'resp')


def client_lines(_args, reply):
    kind, value = reply
    if kind in '$=' and value in (b'', b'txt:'):
        return kind, []
    if kind not in '$=' or not value or b'id=' not in value:
        return reply
    lines = []
    for line in value.replace(b'txt:', b'', 1).split(b'\n'):
        if b' name=~control ' in line or not line:
            continue
        fields = dict(word.partition(b'=')[::2] for word in line.split(b' ') if word)
        # RESET takes NO-EVICT back since 7.2.
        fields[b'flags'] = fields.get(b'flags', b'').replace(b'e', b'') or b'N'
        lines.append([(name, fields.get(name)) for name in CLIENT_FIELDS])
    # The order of a list is the order of connecting, which threads may see differently.
    lines = [line for at, line in enumerate(lines) if line not in lines[:at]]
    return kind, sorted(lines, key=_key)


# Fields of INFO that there is one of for each command, error or database so far.
VARYING = (b'errorstat_', b'cmdstat_', b'latency_percentiles_usec_', b'db')


def without_ids(_args, reply):
    """An error that repeats what was sent, without the ids of clients in it."""
    kind, value = reply
    return kind, re.sub(rb"'\d+'", b"'#'", value) if kind == '-' else value


def info_reply(_args, reply):
    """The sections and the exact counts of keys; field names are compared by differences.py."""
    kind, value = reply
    if kind not in '$=' or value is None:
        return (kind, value)
    lines = value.split(b'\r\n')
    sections = [line for line in lines if line.startswith(b'# ')]
    keys = [line.rpartition(b',avg_ttl')[0] for line in lines if line.startswith(b'db')]
    names = {line.partition(b':')[0] for line in lines if b':' in line}
    names -= {name for name in names if name.startswith(VARYING)}
    # Redis leaves these out where they make no sense; so do we, at other moments.
    return kind, set(sections), keys, names


def covers(a, b):
    """Whether INFO b says everything that INFO a does; it may say more."""
    return a[0] == b[0] and a[1] <= b[1] and a[2] == b[2] and a[3] <= b[3]


# What the two processes were started with.
OWN_SETTINGS = (b'port', b'bind', b'unixsocket', b'dir', b'logfile', b'pidfile', b'save',
                b'appendonly', b'syslog-ident', b'io-threads', b'threads')


def config_reply(_args, reply):
    kind, value = reply
    if kind == '*':
        value = list(zip(value[::2], value[1::2]))
    elif kind != '%':
        return reply
    # Names come as they were asked for, in Redis; ours are always in lower case.
    return kind, sorted((((k[0], k[1].lower()), v) for k, v in value
                         if k[1].lower() not in OWN_SETTINGS), key=_key)


def number_only(_args, reply):
    return (reply[0],)


def command_reply(args, reply):
    kind, value = reply
    if kind != '*' or value is None:
        return reply
    if len(args) < 3:
        # All commands: both servers have some that the other lacks.
        return kind, {(item[0], len(item[1])) for item in value}
    out = []
    for item in value:
        if item[0] == '*' and item[1]:
            fields = [without_notes(field) for field in item[1]]
            for at in (2, 6, 7, 9):
                if at < len(fields):
                    fields[at] = unordered(None, fields[at])
            out.append((item[0], fields))
        else:
            out.append(item)
    return kind, out


def without_notes(reply):
    """Without the remarks on keys that the oracle makes in COMMAND INFO."""
    kind, value = reply
    note = ('$', b'notes')
    if kind == '%':
        return kind, [(k, without_notes(v)) for k, v in value if k != note]
    if kind == '*' and value and note in value[::2]:
        at = value.index(note)
        value = value[:at] + value[at + 2:]
    if kind in '*~' and value:
        return kind, [without_notes(item) for item in value]
    return reply


def time_reply(_args, reply):
    if reply[0] != '*':
        return reply
    return reply[0], [item[0] for item in reply[1]]


def unsubscribe_run(args, replies):
    """Leaving everything at once happens in no particular order, though the counts go down."""
    out = []
    run = []
    for reply in replies + [None]:
        word = _message(reply)
        if word in (b'unsubscribe', b'punsubscribe', b'sunsubscribe') and (
                not run or _message(run[0]) == word):
            run.append(reply)
            continue
        if run:
            names = sorted((item[1][1] for item in run), key=_key)
            out += [(item[0], [item[1][0], name, item[1][2]]) for item, name in zip(run, names)]
            run = []
        if word in (b'unsubscribe', b'punsubscribe', b'sunsubscribe'):
            run.append(reply)
        elif reply is not None:
            out.append(reply)
    return out


def pmessage_run(replies):
    """One message reaches several patterns of one client in no particular order."""
    out = []
    at = 0
    while at < len(replies):
        end = at
        while (end < len(replies) and _message(replies[end]) == b'pmessage' and
               replies[end][1][2:] == replies[at][1][2:]):
            end += 1
        if end > at:
            # Only so many as there are different patterns belong to one message.
            out += sorted(replies[at:end], key=_key)
            at = end
        else:
            out.append(replies[at])
            at += 1
    return out


def messages_last(replies):
    """What came on the connection of a command, its messages behind the rest: 7.0 has them before."""
    kinds = (b'message', b'pmessage', b'smessage')
    return ([reply for reply in replies if _message(reply) not in kinds] +
            [reply for reply in replies if _message(reply) in kinds])


def as_hello(reply):
    """HELLO's answer without what names the process; anything else as it is."""
    if reply[0] in '%*' and reply[1] and b'availability' not in repr(reply).encode() and (
            'redis' in repr(reply[1][:2])):
        return hello_reply(None, reply)
    return reply


def spilled(replies):
    """What EXEC answered where subscriptions and messages are among it, in no order: they are
    more or fewer than the commands, so that the array's count does not tell where it ends."""
    items = []
    for reply in replies:
        items += reply[1] if reply[0] == '*' and reply[1] and not _message(reply) else [reply]
    items = [(item[0], item[1][:2]) if (_message(item) or b'').endswith(b'unsubscribe') else item
             for item in items]
    return sorted((unordered(None, as_hello(item)) for item in items), key=_key)


MESSAGES = (b'message', b'pmessage', b'smessage', b'subscribe', b'psubscribe', b'ssubscribe',
            b'unsubscribe', b'punsubscribe', b'sunsubscribe')


def _message(reply):
    if reply and reply[0] in '*>' and reply[1] and len(reply[1]) >= 3 and reply[1][0][0] == '$':
        return reply[1][0][1] if reply[1][0][1] in MESSAGES else None
    return None


# What XINFO says of the moment; and of trees that both servers build in their own way.
OF_THE_MOMENT = (b'idle', b'inactive', b'seen-time', b'active-time', b'radix-tree-nodes',
                 b'radix-tree-keys')


def stream_reply(args, reply):
    """XINFO without moments, and without consumers that nothing is pending for: since 7.2 reading
    makes them even when there is nothing to read."""
    return stream_facts(reply, len(args) > 1 and args[1].upper() == b'CONSUMERS')


def stream_facts(reply, consumers=False):
    kind, value = reply
    if kind not in '*%' or not value:
        return reply
    if kind == '*' and value[0][0] in '*%':
        items = [stream_facts(item) for item in value]
        if consumers:
            items = [item for item in items if not idle_consumer(item)]
        return kind, items
    if kind == '*' and (len(value) % 2 or value[0] not in (('$', b'length'), ('$', b'name'))):
        return reply
    pairs = list(zip(value[::2], value[1::2])) if kind == '*' else value
    out = []
    for name, item in pairs:
        word = name[1]
        if word in OF_THE_MOMENT or (word == b'consumers' and item[0] == ':'):
            continue
        if word == b'pending' and item[0] == '*':
            # identifier, consumer of a group's, moment, count
            item = item[0], [entry[1][:-2] + entry[1][-1:] for entry in item[1]]
        elif word in (b'groups', b'consumers'):
            item = stream_facts(item, word == b'consumers')
        out.append((word, item))
    return 'facts', out


def idle_consumer(item):
    facts = dict(item[1]) if item[0] == 'facts' else {}
    return (facts.get(b'pel-count') or facts.get(b'pending')) == (':', 0)


def pending_reply(_args, reply):
    """XPENDING without how long each entry has been idle."""
    kind, value = reply
    if kind == '*' and value and value[0][0] == '*':
        return kind, [entry[1][:2] + entry[1][3:] for entry in value]
    return reply


NORMAL = {
    b'SMEMBERS': unordered, b'SINTER': unordered, b'SUNION': unordered, b'SDIFF': unordered,
    b'KEYS': unordered, b'HKEYS': unordered, b'HVALS': unordered, b'HGETALL': unordered_pairs,
    b'SORT': sort_reply, b'SORT_RO': sort_reply, b'SCAN': scan_reply, b'SSCAN': scan_reply,
    b'HSCAN': scan_reply, b'ZSCAN': scan_reply, b'HELLO': hello_reply, b'INFO': info_reply,
    b'DUMP': dump_reply, b'TIME': time_reply, b'COMMAND': command_reply,
    b'XPENDING': pending_reply,
}
NORMAL_SUB = {
    (b'CLIENT', b'LIST'): client_lines, (b'CLIENT', b'INFO'): client_lines,
    (b'CLIENT', b'ID'): number_only, (b'PUBSUB', b'CHANNELS'): unordered,
    (b'PUBSUB', b'SHARDCHANNELS'): unordered, (b'COMMAND', b'LIST'): number_only,
    (b'CONFIG', b'GET'): config_reply, (b'COMMAND', b'INFO'): command_reply,
    (b'COMMAND', b'COUNT'): number_only, (b'XINFO', b'STREAM'): stream_reply,
    (b'XINFO', b'GROUPS'): stream_reply, (b'XINFO', b'CONSUMERS'): stream_reply,
}
CLOCK = {b'TTL': SLACK_S, b'PTTL': SLACK_MS, b'EXPIRETIME': SLACK_S, b'PEXPIRETIME': SLACK_MS,
         b'HTTL': SLACK_S, b'HPTTL': SLACK_MS, b'HEXPIRETIME': SLACK_S,
         b'HPEXPIRETIME': SLACK_MS}
# What these answer is checked by looking at the key afterwards: see Pair.settle.
RANDOM = {b'SPOP', b'SRANDMEMBER', b'HRANDFIELD', b'ZRANDMEMBER', b'RANDOMKEY'}


def normal(args, reply):
    name = args[0].upper()
    how = NORMAL_SUB.get((name, args[1].upper())) if len(args) > 1 else NORMAL.get(name)
    how = how or (NORMAL.get(name) if name != b'COMMAND' else None)
    if name == b'CLIENT' and reply[0] == '-':
        return without_ids(args, reply)
    if how is None or reply[0] == '-':
        return reply
    return how(args, reply)


def normal_name(args):
    return args[1].upper() if len(args) > 1 else b''


def close_in_time(a, b, slack):
    if a[0] != b[0]:
        return False
    if a[0] == ':':
        return a == b or (a[1] > 0 and b[1] > 0 and abs(a[1] - b[1]) <= slack)
    if a[0] == '*' and a[1] and b[1] and len(a[1]) == len(b[1]):
        return all(close_in_time(x, y, slack) for x, y in zip(a[1], b[1]))
    return a == b


def shape(reply):
    """The form of a random answer, without its content."""
    kind, value = reply
    if kind in '*~' and value is not None:
        return kind, [shape(item) for item in value]
    return kind, value is None


def same(args, a, b):
    """Whether both replies say the same, a being the oracle's."""
    if a == b:
        return True
    name = args[0].upper()
    if name == b'INFO' and a[0] == b[0] and a[0] in '$=' and a[1] and b[1]:
        return covers(info_reply(args, a), info_reply(args, b))
    if name == b'CONFIG' and normal_name(args) == b'GET' and a[0] == b[0] and a[0] in '*%':
        # Later parameters are ours in addition.
        theirs, ours = config_reply(args, a)[1], config_reply(args, b)[1]
        return all(pair in ours for pair in theirs)
    if name in CLOCK:
        return close_in_time(a, b, CLOCK[name])
    if name in RANDOM:
        return shape(a) == shape(b) and (a[0] != '-' or a == b)
    if name == b'OBJECT' and len(args) > 1 and args[1].upper() in (b'IDLETIME', b'FREQ'):
        return a[0] == b[0] == ':'
    return normal(args, a) == normal(args, b)


def text(reply):
    return resp.show(reply) if isinstance(reply, tuple) else str(reply)
