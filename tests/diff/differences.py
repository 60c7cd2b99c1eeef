# SPDX-License-Identifier: BSD-3-Clause
"""Every difference from the oracle that is meant, with its reason.

An entry accepts one kind of difference: its predicate is given the command, the oracle's reply
and ours, and says whether this is that difference.  Predicates are as narrow as they can be: a
wide one would hide mistakes.  A run ends by saying which entries were used and which were not.

`oracle` names the servers an entry is for; a difference from 7.0 that both newer servers share
is for 'redis7' alone.  Each is told in docs/differences.md, under its name; tests/tools/test_docs.py looks.
"""

import compare


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


def _upper(args):
    return [arg.upper() for arg in args]


def _encoding(args, pairs, expected, actual):
    return (_name(args) == b'OBJECT' and _sub(args) == b'ENCODING' and expected[0] == actual[0] and
            (expected[1], actual[1]) in pairs)


def _without_lag(reply):
    """XINFO's reply, as stream_reply made it, without what a group has read and has yet to."""
    if isinstance(reply, (list, tuple)):
        items = [_without_lag(item) for item in reply]
        if len(items) == 2 and items[0] in (b'lag', b'entries-read'):
            return None
        return items
    return reply


def _without_tips(reply):
    """COMMAND INFO without tips, and without noscript, which blocking commands have lost."""
    kind, value = reply
    out = []
    for item in value or []:
        if item[0] == '*' and item[1]:
            fields = list(item[1])
            flags = [flag for flag in fields[2][1] if flag[1] != b'noscript']
            fields[2] = (fields[2][0], flags)
            # Of a container, its own row: not all of its subcommands are here.
            item = item[0], fields[:6] if fields[9][1] else fields[:7] + fields[8:]
        out.append(item)
    return kind, out


def _without_sign(reply):
    """The reply with every score of -0 as 0."""
    kind, value = reply
    if kind in '$,' and value == b'-0':
        return kind, b'0'
    if kind in '*~>' and value:
        return kind, [_without_sign(item) for item in value]
    return reply


def _without_progress(facts):
    """What XINFO tells, without how far groups have read."""
    kind, value = facts
    if kind == 'facts':
        return kind, [(word, _without_progress(item)) for word, item in value
                      if word not in (b'lag', b'entries-read')]
    if kind in '*%' and value:
        return kind, [_without_progress(item) if isinstance(item, tuple) else item for item in value]
    return facts


DIFFERENCES = [
    Difference(
        'listpack-list', 'Short lists are listpacks since 7.2; 7.0 calls every list a quicklist.',
        lambda args, e, a: _encoding(args, {(b'quicklist', b'listpack')}, e, a)),
    Difference(
        'listpack-set', 'Short sets of strings are listpacks since 7.2; 7.0 hashes them.',
        lambda args, e, a: _encoding(args, {(b'hashtable', b'listpack')}, e, a)),
    Difference(
        'lpos-lowest-rank',
        'The lowest RANK is out of range, as in newer servers; 7.0 fails to negate it and searches on.',
        lambda args, e, a: _name(args) == b'LPOS' and b'-9223372036854775808' in args and
        a[0] == '-' and b'out of range' in a[1]),
    Difference(
        'zadd-size-hint',
        'The encoding of a new sorted set or set follows the number of arguments, as since 7.2; '
        '7.0 counts the members that were different.',
        lambda args, e, a: _encoding(args, {(b'listpack', b'skiplist'), (b'intset', b'listpack'),
                                            (b'intset', b'hashtable')}, e, a)),
    Difference(
        'negative-zero',
        'A score of -0 is written as 0 by listpacks only: it follows from zadd-size-hint.',
        lambda args, e, a: _name(args)[:1] in (b'Z', b'B', b'E') and
        _without_sign(e) == _without_sign(a)),
    Difference(
        'zrank-withscore', 'ZRANK and ZREVRANK take WITHSCORE, as since 7.2.',
        lambda args, e, a: _name(args) in (b'ZRANK', b'ZREVRANK') and len(args) == 4 and
        e[0] == '-' and b'wrong number of arguments' in e[1] and
        (a == ('+', b'QUEUED') or args[3].upper() == b'WITHSCORE' or b'syntax error' in a[1])),
    Difference(
        'incrbyfloat-int',
        'A whole number is stored as an integer whichever command made it; 7.0 keeps the text '
        'that INCRBYFLOAT wrote.',
        lambda args, e, a: _encoding(args, {(b'embstr', b'int')}, e, a)),
    Difference(
        'refcount-one',
        'No value is shared, so every reference count is 1, as in Valkey; 7.0 shares the '
        'integers up to 9999.',
        lambda args, e, a: _name(args) == b'OBJECT' and _sub(args) == b'REFCOUNT' and
        e == (':', 2147483647) and a == (':', 1)),
    Difference(
        'newer-words', 'Options that 7.0 does not know: HSCAN NOVALUES, ZSCAN NOSCORES.',
        lambda args, e, a: e == ('-', b'ERR syntax error') and
        (_name(args), True) in ((b'HSCAN', b'NOVALUES' in _upper(args)), (b'ZSCAN', b'NOSCORES' in _upper(args))),
        oracle=('redis7', 'redis')),
    Difference(
        'help-texts', 'HELP lists the subcommands that this server has.',
        lambda args, e, a: _sub(args) == b'HELP' and e[0] == a[0] == '*' and len(a[1]) > 3 and
        e[1][0] == a[1][0]),
    Difference(
        'getkeys-arity', 'COMMAND GETKEYS of a command without arguments says so, as since 7.2.',
        lambda args, e, a: _name(args) == b'COMMAND' and len(args) == 3 and
        e[0] == '-' and b'wrong number of arguments' in e[1] and
        a in (('-', b'ERR Invalid number of arguments specified for command'),
              ('-', b'ERR The command has no key arguments'),
              ('-', b'ERR Invalid command specified'))),
    Difference(
        'getkeys-withscore', 'COMMAND GETKEYS of ZRANK and ZREVRANK takes WITHSCORE, as since 7.2.',
        lambda args, e, a: _name(args) == b'COMMAND' and len(args) == 6 and
        args[2].upper() in (b'ZRANK', b'ZREVRANK') and
        e == ('-', b'ERR Invalid number of arguments specified for command') and a[0] == '*'),
    Difference(
        'getkeys-subcommands', 'COMMAND GETKEYS knows subcommands by their full name.',
        lambda args, e, a: _name(args) == b'COMMAND' and len(args) > 2 and b'|' in args[2] and
        e == ('-', b'ERR Invalid command specified')),
    Difference(
        'hello-late-auth', 'HELLO reads all its options before it follows any, as since 7.2.',
        lambda args, e, a: _name(args) == b'HELLO' and e[0] == a[0] == '-' and
        e[1].startswith(b'WRONGPASS') and a[1].startswith(b'ERR Syntax error in HELLO')),
    Difference(
        'getkeys-sort-store',
        'COMMAND GETKEYS takes the word STORE for the option even where SORT would take it for the '
        'pattern of GET or BY.',
        lambda args, e, a: _name(args) == b'COMMAND' and _sub(args)[:7] == b'GETKEYS' and
        len(args) > 2 and args[2].upper() == b'SORT' and
        any(arg.upper() == b'STORE' for arg in args)),
    Difference(
        'getkeys-counts', 'A count of keys that is no int is invalid; 7.0 takes what it can of it.',
        lambda args, e, a: _name(args) == b'COMMAND' and _sub(args)[:7] == b'GETKEYS' and
        a == ('-', b'ERR Invalid arguments specified for command') and
        not any(arg.isdigit() and int(arg) <= 2147483647 for arg in args[3:5])),
    Difference(
        'sdiffstore-encoding',
        'A difference of sets is encoded as what it holds; 7.0 may keep the encoding of the first '
        'set, depending on which of its two ways of computing it is cheaper.',
        lambda args, e, a: _encoding(args, {(b'hashtable', b'intset')}, e, a)),
    Difference(
        'timeout-range', 'A timeout too large is out of range, as since 7.2; 7.0 calls it negative.',
        lambda args, e, a: e == ('-', b'ERR timeout is negative') and
        a == ('-', b'ERR timeout is out of range')),
    Difference(
        'stores-overwrite', 'COMMAND GETKEYSANDFLAGS: what a command stores is OW, as since 7.2.',
        lambda args, e, a: _name(args) == b'COMMAND' and
        repr(e).replace('RW', 'OW') == repr(a).replace('RW', 'OW')),
    Difference(
        'config-reasons', 'CONFIG SET names the parameter; the reasons are in our own words.',
        lambda args, e, a: _name(args) == b'CONFIG' and e[0] == a[0] == '-' and
        b' - ' in e[1] and e[1].split(b' - ')[0] == a[1].split(b' - ')[0]),
    Difference(
        'no-tips', 'COMMAND INFO has no tips: they tell proxies of clusters how to spread a command.',
        lambda args, e, a: _name(args) == b'COMMAND' and _sub(args) == b'INFO' and
        compare.command_reply(args, _without_tips(e)) ==
        compare.command_reply(args, _without_tips(a))),
    Difference(
        'key-specs',
        'The key after STORE of SORT is said where it is, and MOVE deletes its key; 7.0 calls the '
        'one unknown and the other an update.',
        lambda args, e, a: _name(args) == b'COMMAND' and _sub(args) == b'INFO' and
        any(arg.lower() in (b'sort', b'move') for arg in args) and e[0] == a[0] and len(e[1]) == len(a[1])),
    Difference(
        'bit-arguments-first',
        'BITCOUNT and BITPOS read their arguments before they look at the key, as since 7.2.',
        lambda args, e, a: _name(args) in (b'BITCOUNT', b'BITPOS') and a[0] == '-' and
        a[1] in (b'ERR value is not an integer or out of range', b'ERR syntax error') and
        (e in ((':', 0), (':', -1)) or e[0] == '-')),
    Difference(
        'bitcount-start', 'BITCOUNT takes a start without an end, as Valkey does.',
        lambda args, e, a: _name(args) == b'BITCOUNT' and len(args) == 3 and
        e in (('-', b'ERR syntax error'), ('-', b'ERR value is not an integer or out of range')) and
        a[0] in ':-', oracle=('redis7', 'redis')),
    Difference(
        'geo-polygon', 'GEOSEARCH knows BYPOLYGON, as Valkey does, and says so.',
        lambda args, e, a: e[0] == a[0] == '-' and
        a[1] == e[1].replace(b'BYRADIUS and BYBOX', b'BYRADIUS, BYBOX and BYPOLYGON'),
        oracle=('redis7', 'redis')),
    Difference(
        'geo-member-text', 'A member that is not there has the error of Redis; Valkey names the member.',
        lambda args, e, a: _name(args)[:3] == b'GEO' and e[0] == '-' and
        e[1].startswith(b'ERR member ') and e[1].endswith(b' does not exist') and
        a == ('-', b'ERR could not decode requested zset member'), oracle=('valkey',)),
    Difference(
        'xread-last', 'XREAD takes + for the last entry, as since 7.4.',
        lambda args, e, a: _name(args) in (b'XREAD', b'XREADGROUP') and b'+' in args and
        e == ('-', b'ERR Invalid stream ID specified as stream command argument')),
    Difference(
        'xread-unbalanced', 'XREAD and XREADGROUP say what is missing in the words of 7.2.',
        lambda args, e, a: e[0] == a[0] == '-' and e[1].startswith(b'ERR Unbalanced ') and
        a[1].startswith(b'ERR Unbalanced ')),
    Difference(
        'consumers-made', 'A consumer that found nothing to read was made all the same, as since 7.2.',
        lambda args, e, a: _name(args) == b'XGROUP' and _sub(args) == b'CREATECONSUMER' and
        (e, a) == ((':', 1), (':', 0))),
    Difference(
        'group-gone', 'A reader that waits hears the error that its command would get now, as since 7.2.',
        lambda args, e, a: e[0] == a[0] == '-' and
        e[1] in (b'UNBLOCKED the stream key no longer exists',
                 b'NOGROUP the consumer group this client was blocked on no longer exists') and
        a[1].split(b' ')[0] in (b'NOGROUP', b'WRONGTYPE')),
    Difference(
        'lag-of-what-is-left', 'A group lags behind what the stream still has, as in Redis 8: entries that were '
        'trimmed or deleted before it read them are none that it has yet to read.',
        lambda args, e, a: _name(args) == b'XINFO' and
        _without_lag(compare.stream_reply(args, e)) == _without_lag(compare.stream_reply(args, a)),
        oracle=('redis7', 'valkey')),
    Difference(
        'xsetid-deleted', 'XSETID goes back no further than to what was deleted, as since 7.2.',
        lambda args, e, a: _name(args) == b'XSETID' and e[0] == a[0] == '-' and
        b'max_deleted_entry_id' in a[1]),
    Difference(
        'group-progress',
        'A group that stands before the first entry has all entries to read, whatever it was told '
        'that it had read, and counts from there, as in Redis 8; 7.0 and Valkey may tell a lag below 0.',
        lambda args, e, a: _name(args) == b'XINFO' and _sub(args) in (b'GROUPS', b'STREAM') and
        _without_progress(compare.stream_reply(args, e)) ==
        _without_progress(compare.stream_reply(args, a)), oracle=('redis7', 'valkey')),
    Difference(
        'listpackex',
        'A hash whose fields expire is a hashtable, as in Valkey; Redis has a listpack of its own for it, '
        'and changes to that even when no field was found.',
        lambda args, e, a: e[0] == '$' and a[0] == '$' and e[1] == b'listpackex' and
        a[1] in (b'listpack', b'hashtable'), oracle=('redis',)),
    Difference(
        'hsetex-key-conditions', 'HSETEX knows NX and XX for the key, as Valkey does.',
        lambda args, e, a: _name(args) == b'HSETEX' and e[0] == '-' and
        e[1].upper() in (b'ERR UNKNOWN ARGUMENT: NX', b'ERR UNKNOWN ARGUMENT: XX'), oracle=('redis',)),
    Difference(
        'hset-size-hint',
        'Several fields that are one are counted as one when a hash is made, as in 7.0.',
        lambda args, e, a: _encoding(args, {(b'hashtable', b'listpack')}, e, a),
        oracle=('redis', 'valkey')),
    Difference(
        'client-filters', 'CLIENT LIST and CLIENT KILL take several filters, and more identifiers, as in Valkey 9.',
        lambda args, e, a: _name(args) == b'CLIENT' and _sub(args) in (b'LIST', b'KILL') and len(args) > 4 and
        e in (('-', b'ERR syntax error'), ('-', b'ERR Invalid client ID')) and e != a, oracle=('redis7', 'redis')),
    Difference(
        'embstr-limit', 'Strings up to 44 bytes are called embstr, as in Redis; Valkey goes to 64.',
        lambda args, e, a: _encoding(args, {(b'embstr', b'raw'), (b'raw', b'embstr')}, e, a), oracle=('valkey',)),
    Difference(
        'msetex-texts', 'MSETEX has the errors of Redis, which had it first.',
        lambda args, e, a: _name(args) == b'MSETEX' and e[0] == a[0] == '-', oracle=('valkey',)),
    Difference(
        'hash-lifetime-texts', 'Lifetimes of fields have the errors of Redis, which had them first.',
        lambda args, e, a: _name(args)[:1] == b'H' and e[0] == a[0] == '-', oracle=('valkey',)),
]

# Differences that the generators keep away from, or that the comparison looks past, because what
# follows them would differ as well.
AVOIDED = [
    ('messages-after-reply',
     'Messages that a command publishes to its own client come after its reply; 7.0 has them before it, '
     'and within the array of EXEC, where they are counted as results (compared without their place).'),
    ('config-own-names',
     'CONFIG GET answers with the name of the parameter, in lower case, however it was asked for '
     '(compared without regard to case).'),
    ('first-key-serves',
     'A client that waits for several keys, two of which are filled at once, is served from the '
     'first one it named, as since 7.2; 7.0 serves it from the one that was filled first.'),
    ('overwritten-key-wakes',
     'A client that waits for a key of another type is served when ZUNIONSTORE, ZRANGESTORE or '
     'SORT STORE replace that key; Redis leaves it waiting until the next push.'),
    ('geo-store-twice', 'GEORADIUS takes each of STORE and STOREDIST once; Redis takes the last.'),
    ('geo-ties',
     'Of members at equal distances, those found first come first; Redis orders them in no particular '
     'way where COUNT leaves some out.'),
    ('trimmed-news',
     'A reader that waits goes on waiting when the entry that was added is trimmed or deleted at '
     'once, as since 7.2; 7.0 replies an array without entries.'),
    ('emptied-blocks',
     'A block of a stream goes with its last entry, and is measured by the entries that are in it; '
     '7.0 keeps those that an exact trim has emptied, and measures by deleted entries as well. '
     'Sequences have approximate trims by MINID, or deletions, but not both.'),
    ('sort-converts', 'SORT leaves the encoding of a sorted set as it is; Redis makes it a skiplist.'),
    ('sort-weights',
     'Weights are read whole: a byte of 0 is no end, and a number too small for a double is an '
     'error only for itself; 7.0 stops at the byte and carries the error over to the next SORT.'),
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
