# SPDX-License-Identifier: BSD-3-Clause
"""Arguments of commands on bits and bit fields, see grammar.py."""


class BitAtoms:
    def atom_bit(self):
        """A place of a bit."""
        chance = self.rng.random()
        if chance < 0.6:
            return b'%d' % self.rng.randrange(40)
        if chance < 0.85:
            return b'%d' % self.rng.randrange(600)
        if chance < 0.95:
            return b'%d' % self.rng.randrange(40000)
        return self.rng.choice((b'4294967296', b'-1', b'abc', b'', b'#1', b'1.0', b'9223372036854775807'))

    def atom_bitidx(self):
        return b'%d' % self.rng.choice((self.rng.randrange(-40, 40), self.rng.randrange(-700, 700)))

    def atom_bitval(self):
        """Bytes with long runs of equal bits."""
        rng = self.rng
        parts = [rng.choice((b'\x00', b'\xff', bytes([rng.randrange(256)]))) *
                 rng.choice((1, 1, 2, 7, 8, 9, 31, 33, 64, 130, 600)) for _ in range(rng.randrange(4))]
        return b''.join(parts)

    def atom_ftype(self):
        rng = self.rng
        if rng.random() < 0.96:
            return b'%c%d' % (rng.choice(b'iu'), rng.choice((1, 2, 3, 5, 7, 8, 9, 13, 16, 31, 32, 33, 57, 62, 63)))
        return rng.choice((b'i64', b'u64', b'i0', b'u0', b'i65', b'i', b'', b'x8', b'I8', b'i8x', b'i-1'))

    def atom_foff(self):
        rng = self.rng
        text = b'%d' % rng.choice((0, 0, 1, 3, 8, 64, rng.randrange(100), rng.randrange(2000)))
        if rng.random() < 0.3:
            text = b'#' + text
        if rng.random() < 0.04:
            return rng.choice((b'#', b'-1', b'#-1', b'4294967296', b'#4294967296', b'a', b'', b'1#'))
        return text

    def atom_fval(self):
        rng = self.rng
        chance = rng.random()
        if chance < 0.4:
            return b'%d' % rng.randrange(-300, 300)
        if chance < 0.8:
            near = rng.choice((-1, 1)) * (1 << rng.randrange(63)) + rng.randrange(-2, 3)
            return b'%d' % near
        return self.atom_int()


def tame_bits(name, args):
    """No string of hundreds of megabytes."""
    where = [2] if name == b'SETBIT' else []
    if name == b'BITFIELD':
        where = [i for i in range(1, len(args)) if args[i - 1][:1] in b'iu' and args[i - 1][1:].isdigit()]
    for at in where:
        if at < len(args) and args[at].lstrip(b'#').isdigit() and (
                100000 < int(args[at].lstrip(b'#')) < 1 << 32):
            args[at] = b'100'
