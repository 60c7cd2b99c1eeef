# SPDX-License-Identifier: BSD-3-Clause
"""Commands from grammars, at random.

A grammar is one line of text:

    SET <key> <val> {NX|XX|GET|KEEPTTL|EX <sec>|PX <ms>}

    WORD        itself, now and then in lower case
    <atom>      what the method atom_... of Atoms draws: one argument or several
    (a|b)       one of the alternatives
    [a|b]       one of the alternatives, or nothing
    {a|b}       options: some of the alternatives in any order, sometimes one of them twice
    x* x+       x repeated: none or more, one or more times (x: an atom or something in brackets)

Most commands come out as the grammar says; some are then damaged (an argument dropped, doubled,
swapped, replaced), because errors have to match as well.  tame() takes the teeth out of arguments
that would make a run depend on the clock or eat the machine's memory.
"""

import re

from atoms_bits import BitAtoms, tame_bits
from atoms_geo import GeoAtoms, tame_geo
from atoms_hyperloglog import HyperLogLogAtoms

REPEATS = ('\0*', '\0+')
TOKEN = re.compile(r'<[a-z_0-9]+>|(?<=[>)\]])[*+]|\{(?:id|addr):\d\}|[()\[\]{}|]|[^\s()\[\]{}|<]+')


class Grammar:
    def __init__(self, text, weight=1.0):
        self.text = text
        self.weight = weight
        self.tokens = ['\0' + match[0] if match[0] in '*+' and match.start() > 0 and
                       text[match.start() - 1] in '>)]' else match[0]
                       for match in TOKEN.finditer(text)]
        self.pos = 0
        self.node = self._alternatives('')
        if self.pos != len(self.tokens):
            raise ValueError('unbalanced grammar: ' + text)

    def _alternatives(self, close):
        options = [[]]
        while self.pos < len(self.tokens):
            token = self.tokens[self.pos]
            if token in (')', ']', '}'):
                if token != close:
                    raise ValueError('unbalanced grammar: ' + self.text)
                break
            self.pos += 1
            if token == '|':
                options.append([])
            elif token in REPEATS:
                options[-1].append((token[1], options[-1].pop()))
            elif token in '([{':
                node = self._alternatives({'(': ')', '[': ']', '{': '}'}[token])
                self.pos += 1
                options[-1].append((token, node))
            elif token[0] == '<':
                options[-1].append(('atom', 'atom_' + token[1:-1]))
            else:
                options[-1].append(('word', token.encode()))
        return options

    def draw(self, atoms):
        out = []
        self._sequence(atoms, self.node[0], out)
        return out

    def _sequence(self, atoms, items, out):
        for item in items:
            self._item(atoms, item, out)

    def _item(self, atoms, item, out):
        rng = atoms.rng
        kind, value = item
        if kind == 'word':
            out.append(value.lower() if rng.random() < 0.1 else value)
        elif kind == 'atom':
            drawn = getattr(atoms, value)()
            if isinstance(drawn, list):
                out.extend(drawn)
            else:
                out.append(drawn)
        elif kind == '(':
            self._sequence(atoms, rng.choice(value), out)
        elif kind == '[':
            if rng.random() < 0.5:
                self._sequence(atoms, rng.choice(value), out)
        elif kind == '{':
            chance = min(0.35, 1.2 / len(value))
            chosen = [option for option in value if rng.random() < chance]
            if chosen and rng.random() < 0.05:
                chosen.append(rng.choice(chosen))
            rng.shuffle(chosen)
            for option in chosen:
                self._sequence(atoms, option, out)
        else:
            count = 1 if kind == '+' else 0
            while count == 0 or rng.random() < 0.55:
                if count == 0 and rng.random() < 0.3:
                    break
                self._item(atoms, value, out)
                count += 1
                if count > 5:
                    break
            if kind == '+' and count == 1:
                self._item(atoms, value, out)


LONG = b'0123456789abcdef' * 5
INTS = [b'0', b'1', b'-1', b'2', b'3', b'5', b'10', b'-2', b'100', b'-100']
EXTREMES = [b'9223372036854775807', b'-9223372036854775808', b'9223372036854775806',
            b'9223372036854775808', b'-9223372036854775809', b'2147483647', b'2147483648',
            b'-2147483648', b'-2147483649', b'4294967295', b'4294967296', b'1000000000000',
            b'-9223372036854775807', b'18446744073709551615', b'18446744073709551616',
            b'4611686018427387904', b'-4611686018427387904', b'9223372036854775',
            b'9223372036854776', b'32767', b'32768', b'-32769', b'8388608']
MALFORMED = [b'', b' 1', b'1 ', b'+1', b'01', b'-0', b'1.0', b'1e3', b'0x10', b'abc', b'-', b'+',
             b'1\x00', b'nan', b'inf', b'--1', b'1_000', b'\xff\xfe', b'99999999999999999999999']
FLOATS = [b'0', b'1', b'-1', b'0.5', b'1.5', b'-2.25', b'3.0e3', b'1e-3', b'0.1', b'0.2', b'0.3',
          b'3.3', b'100.001', b'10', b'2', b'5', b'-0', b'-0.0', b'0.0']
ODD_FLOATS = [b'inf', b'-inf', b'+inf', b'Infinity', b'-infinity', b'INF', b'1e308', b'-1e308',
              b'1.7976931348623157e308', b'4.9e-324', b'2.2250738585072014e-308', b'1e-320',
              b'1e400', b'1e-400', b'123456789012345678', b'9007199254740993', b'1e17', b'1e21',
              b'0x1p3', b'0x10', b'.5', b'5.', b'1e5', b'123456.789', b'17179869184.125',
              b'3.14159265358979323846', b'1e15', b'1e16', b'-1e15']
BAD_FLOATS = [b'nan', b'-nan', b'', b' 1', b'1 ', b'1.5x', b'abc', b'1e', b'++1', b'1,5', b'.',
              b'NaN', b'1.0\x00', b'infinit']
PATTERNS = [b'*', b'?', b'??', b's*', b'*1', b'l?', b'[lh]*', b'[^s]*', b'[a-m]*', b'[z-a]*',
            b'\\*', b'[', b'[]', b'[^]', b'[a', b'a*b', b'**', b'*?*', b'k[0-2]', b'', b'\\',
            b'h[01]', b'a', b'f*', b'[\\]]', b'x', b'{x}*', b'[a-', b'a\\']
COMMON_KEYS = {
    'string': [b's0', b's1', b's2', b's3', b'{x}s'],
    'list': [b'l0', b'l1', b'l2', b'l3'],
    'hash': [b'h0', b'h1', b'h2', b'h3'],
    'set': [b't0', b't1', b't2', b't3', b'{x}t'],
    'zset': [b'z0', b'z1', b'z2', b'z3'],
    'any': [b'k0', b'k1', b'k2', b'k3'],
}
# Sorted sets whose members all have the score 0 (and one key of the wrong type, one missing).
LEX_KEYS = [b'x0', b'x1', b'x2', b'x0', b'x1', b'x2', b'x3', b'x4']
ALL_KEYS = [key for keys in COMMON_KEYS.values() for key in keys] + [b'', b'nokey', b'a\x00b']


class Atoms(BitAtoms, GeoAtoms, HyperLogLogAtoms):
    """Draws arguments.  kind: the type whose keys this family works on."""

    def __init__(self, rng, kind='any', stray=0.06):
        self.rng = rng
        self.kind = kind
        self.stray = stray
        self.now_s = 0

    def _key_of(self, kind):
        if self.rng.random() < self.stray:
            return self.rng.choice(ALL_KEYS)
        return self.rng.choice(COMMON_KEYS[kind])

    # Keys.

    def atom_key(self):
        return self._key_of(self.kind)

    def atom_skey(self):
        return self._key_of('string')

    def atom_lkey(self):
        return self._key_of('list')

    def atom_hkey(self):
        return self._key_of('hash')

    def atom_tkey(self):
        return self._key_of('set')

    def atom_zkey(self):
        return self._key_of('zset')

    def atom_tzkey(self):
        return self._key_of(self.rng.choice(('set', 'zset', 'zset')))

    def atom_anykey(self):
        return self.rng.choice(ALL_KEYS)

    def _counted(self, draw):
        count = self.rng.choice((1, 1, 2, 2, 3, 4))
        keys = [draw() for _ in range(count)]
        stated = b'%d' % count
        if self.rng.random() < 0.05:
            stated = self.rng.choice([b'0', b'-1', b'5', b'1', b'abc', b'', b'4294967297',
                                      b'9223372036854775807', b'2.0'])
        return [stated] + keys

    def atom_nkeys(self):
        return self._counted(self.atom_key)

    def atom_nzkeys(self):
        return self._counted(self.atom_tzkey)

    def atom_xkey(self):
        return self.rng.choice(LEX_KEYS)

    # Contents.

    def atom_val(self):
        rng = self.rng
        chance = rng.random()
        if chance < 0.35:
            return rng.choice((b'a', b'b', b'c', b'abc', b'hello'))
        if chance < 0.6:
            return rng.choice(INTS)
        if chance < 0.7:
            return rng.choice(FLOATS)
        if chance < 0.78:
            return rng.choice(EXTREMES)
        if chance < 0.84:
            return rng.choice(MALFORMED)
        if chance < 0.88:
            return rng.choice(ODD_FLOATS)
        if chance < 0.92:
            return LONG[:rng.choice((19, 20, 21, 31, 32, 43, 44, 45, 46, 62, 63, 64, 65, 80))]
        if chance < 0.95:
            return b'x' * rng.choice((100, 127, 128, 250, 254, 255, 256, 257, 300, 1000, 4100))
        return rng.choice((b'', b'\x00', b'\xff\x80', b'line\r\nbreak', b'*3\r\n', b'a b', b'"q"'))

    def atom_member(self):
        rng = self.rng
        chance = rng.random()
        if chance < 0.6:
            return rng.choice((b'a', b'b', b'c', b'd', b'e', b'f', b'1', b'2', b'3', b'-7'))
        if chance < 0.8:
            return b'%d' % rng.randrange(-5, 40)
        if chance < 0.9:
            return b'm%d' % rng.randrange(40)
        return self.atom_val()

    def atom_intmember(self):
        rng = self.rng
        if rng.random() < 0.8:
            return b'%d' % rng.choice((rng.randrange(-4, 12), rng.randrange(-40000, 40000),
                                       rng.randrange(-1 << 34, 1 << 34)))
        return rng.choice(EXTREMES)

    def atom_field(self):
        rng = self.rng
        if rng.random() < 0.8:
            return rng.choice((b'a', b'b', b'c', b'f1', b'f2', b'f3', b'1', b'2', b'weight'))
        if rng.random() < 0.7:
            return b'f%d' % rng.randrange(20)
        return self.atom_val()

    def atom_pattern(self):
        if self.rng.random() < 0.3:
            return b'*'
        return self.rng.choice(PATTERNS)

    def atom_channel(self):
        return self.rng.choice((b'news', b'news.a', b'news.b', b'chat', b'', b'a*'))

    def atom_cpattern(self):
        return self.rng.choice((b'news*', b'news.?', b'*', b'news', b'[nc]*', b'\\*', b''))

    # Numbers.

    def atom_int(self):
        chance = self.rng.random()
        if chance < 0.75:
            return self.rng.choice(INTS)
        if chance < 0.92:
            return self.rng.choice(EXTREMES)
        return self.rng.choice(MALFORMED)

    def atom_idx(self):
        chance = self.rng.random()
        if chance < 0.88:
            return b'%d' % self.rng.choice((0, 0, 1, 2, 3, 4, 5, -1, -1, -2, -3, -4, 6, 10, -10))
        if chance < 0.96:
            return self.rng.choice(EXTREMES)
        return self.rng.choice(MALFORMED)

    def atom_count(self):
        chance = self.rng.random()
        if chance < 0.85:
            return b'%d' % self.rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 10, 100, -1, -2))
        if chance < 0.94:
            return self.rng.choice(EXTREMES)
        return self.rng.choice(MALFORMED)

    def atom_pcount(self):
        if self.rng.random() < 0.92:
            return b'%d' % self.rng.choice((1, 1, 2, 3, 10))
        return self.atom_count()

    def atom_float(self):
        chance = self.rng.random()
        if chance < 0.75:
            return self.rng.choice(FLOATS)
        if chance < 0.93:
            return self.rng.choice(ODD_FLOATS)
        return self.rng.choice(BAD_FLOATS)

    def atom_score(self):
        chance = self.rng.random()
        if chance < 0.5:
            return b'%d' % self.rng.randrange(-3, 8)
        if chance < 0.55:
            return repr(self.rng.uniform(-10, 10)).encode()
        return self.atom_float()

    def atom_srange(self):
        """An end of a score range."""
        chance = self.rng.random()
        if chance < 0.25:
            return self.rng.choice((b'-inf', b'+inf', b'inf', b'(-inf', b'(+inf', b'(inf'))
        text = self.atom_score()
        return b'(' + text if self.rng.random() < 0.25 else text

    def atom_lex(self):
        chance = self.rng.random()
        if chance < 0.35:
            return self.rng.choice((b'-', b'+'))
        if chance < 0.93:
            return self.rng.choice((b'[', b'(')) + self.atom_member()
        return self.rng.choice((b'', b'a', b'[', b'(', b'-a', b'++', b']a'))

    def atom_offset(self):
        return b'%d' % self.rng.choice((0, 0, 1, 2, 3, 5, 8, 20, -1, -2, 100, 600))

    def atom_off32(self):
        if self.rng.random() < 0.9:
            return self.atom_offset()
        return self.rng.choice((b'536870911', b'536870912', b'536870913', b'4294967296', b'abc',
                                b'9223372036854775807', b'-9223372036854775808', b''))

    def atom_db(self):
        if self.rng.random() < 0.85:
            return self.rng.choice((b'0', b'0', b'1', b'2', b'15'))
        return self.rng.choice((b'16', b'-1', b'abc', b'', b'99999999999', b'01', b'1.0'))

    def atom_cursor(self):
        return self.rng.choice((b'0', b'0', b'0', b'abc', b'-1', b'', b'1x', b'0x0',
                                b'18446744073709551616', b' 0', b'00', b'+0'))

    # Time.  Small lifetimes are lengthened by tame(): nothing may expire halfway.

    def atom_sec(self):
        chance = self.rng.random()
        if chance < 0.7:
            return b'%d' % self.rng.choice((100, 200, 1000, 100000, 5))
        if chance < 0.85:
            return self.rng.choice((b'0', b'-1', b'-100'))
        return self.atom_int()

    def atom_ms(self):
        chance = self.rng.random()
        if chance < 0.7:
            return b'%d' % self.rng.choice((100000, 200000, 1000000, 123456))
        if chance < 0.85:
            return self.rng.choice((b'0', b'-1', b'-100'))
        return self.atom_int()

    def atom_tsec(self):
        chance = self.rng.random()
        if chance < 0.7:
            return self.rng.choice((b'4102444800', b'4102444801', b'33177117420'))
        if chance < 0.85:
            return self.rng.choice((b'1', b'1000000000', b'0', b'-1'))
        return self.atom_int()

    def atom_tms(self):
        chance = self.rng.random()
        if chance < 0.7:
            return self.rng.choice((b'4102444800000', b'4102444800001', b'33177117420999'))
        if chance < 0.85:
            return self.rng.choice((b'1', b'1000000000000', b'0', b'-1'))
        return self.atom_int()

    # Damage.

    def atom_odd(self):
        return self.rng.choice((b'', b'0', b'-1', b'1', b'nan', b'abc', b'COUNT', b'LIMIT', b'NX',
                                b'XX', b'GT', b'WITHSCORES', b'*', b'9223372036854775807', b'k0',
                                b'1.5', b'(1', b'[a', b'MATCH', b'GET', b'STORE', b'LEFT'))


def damage(rng, atoms, args):
    """Breaks a command a little, in place."""
    how = rng.randrange(7)
    if how == 0 and len(args) > 1:
        del args[rng.randrange(1, len(args)):]
    elif how == 1 and len(args) > 1:
        del args[rng.randrange(1, len(args))]
    elif how == 2:
        args.append(atoms.atom_odd())
    elif how == 3 and len(args) > 1:
        args[rng.randrange(1, len(args))] = atoms.atom_odd()
    elif how == 4 and len(args) > 2:
        i, j = rng.randrange(1, len(args)), rng.randrange(1, len(args))
        args[i], args[j] = args[j], args[i]
    elif how == 5 and len(args) > 1:
        i = rng.randrange(1, len(args))
        args.insert(i, args[i])
    elif how == 6:
        args.append(atoms.atom_val())


SECONDS = {b'EX'}
MILLISECONDS = {b'PX'}
EXPIRE_LIKE = {b'EXPIRE': 30, b'SETEX': 30, b'PEXPIRE': 30000, b'PSETEX': 30000,
               b'HEXPIRE': 30, b'HPEXPIRE': 30000}
WAITS_LAST = {b'BLPOP', b'BRPOP', b'BRPOPLPUSH', b'BLMOVE', b'BZPOPMIN', b'BZPOPMAX'}
WAITS_FIRST = {b'BLMPOP', b'BZMPOP'}
RANDOM_COUNT = {b'SRANDMEMBER', b'HRANDFIELD', b'ZRANDMEMBER'}


def as_int(text):
    try:
        return int(text) if re.fullmatch(rb'-?[0-9]{1,20}', text) else None
    except ValueError:
        return None


def tame(args):
    """Makes a command safe to compare: returns the arguments to send."""
    name = args[0].upper()
    if name in EXPIRE_LIKE and len(args) > 2:
        _lengthen(args, 2, EXPIRE_LIKE[name])
    for i in range(1, len(args) - 1):
        word = args[i].upper()
        if word in SECONDS:
            _lengthen(args, i + 1, 30)
        elif word in MILLISECONDS:
            _lengthen(args, i + 1, 30000)
    if name in RANDOM_COUNT and len(args) > 2:
        count = as_int(args[2])
        least = -(1 << 62) if len(args) > 3 else -(1 << 63) + 1
        if count is not None and least <= count < -1000:
            args[2] = b'-10'
    if name in WAITS_LAST and len(args) > 1:
        _hurry(args, len(args) - 1)
    elif name in WAITS_FIRST and len(args) > 1:
        _hurry(args, 1)
    if name == b'CLIENT':
        _kill_one(args)
    _same_scores(name, args)
    tame_bits(name, args)
    tame_geo(name, args)
    if name == b'SETRANGE' and len(args) > 2:
        offset = as_int(args[2])
        if offset is not None and 10000 < offset < 536870911 - 8192:
            args[2] = b'100'
        elif offset is not None and 536870911 - 8192 <= offset < 536870912:
            args[2] = b'536870912'
    return args


def _kill_one(args):
    """CLIENT KILL ID with several identifiers, which 7.0 refuses, ends clients that go on there."""
    if len(args) < 2 or args[1].upper() != b'KILL':
        return
    for i in range(len(args) - 3, 1, -1):
        while args[i].upper() == b'ID' and i + 2 < len(args) and (
                as_int(args[i + 2]) is not None or args[i + 2].startswith(b'{id:')):
            del args[i + 2]


def _same_scores(name, args):
    """What a range by name finds among different scores depends on the build of the skip list."""
    if name == b'ZADD' and len(args) > 1 and args[1] in LEX_KEYS:
        if len(args) % 2 or any(score != b'0' for score in args[2::2]) or args[1] == b'x4':
            args[1] = b'z0'
        return
    at = 2 if name == b'ZRANGESTORE' else 1
    if at == 2 and len(args) > 1 and args[1] in LEX_KEYS:
        args[1] = b'z0'
    by_name = name.endswith(b'BYLEX') or name == b'ZLEXCOUNT' or (
        name in (b'ZRANGE', b'ZRANGESTORE') and any(arg.upper() == b'BYLEX' for arg in args))
    if by_name and len(args) > at and args[at] not in LEX_KEYS:
        args[at] = b'x%d' % (sum(args[at]) % 5)


def _lengthen(args, at, limit):
    value = as_int(args[at])
    if value is not None and 0 < value <= limit:
        args[at] = b'%d' % (value + 100 * max(1, limit // 30))


def keep_counted(args):
    """A key that is born expired is still counted by the oracle, until somebody looks at it."""
    if args[0].upper() == b'SET':
        for i in range(1, len(args) - 1):
            value = as_int(args[i + 1])
            if args[i].upper() in (b'EXAT', b'PXAT') and value is not None and value > 0:
                args[i + 1] = b'33177117420999'
    return args


def _hurry(args, at):
    """No wait is longer than a moment; families that want to wait make their steps themselves."""
    try:
        value = float(args[at]) if args[at][:2].lower() != b'0x' else 1
    except ValueError:
        return
    if value == 0 or 0.01 < value < 1e16:
        args[at] = b'0.001'
