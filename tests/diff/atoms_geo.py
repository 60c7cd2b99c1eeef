# SPDX-License-Identifier: BSD-3-Clause
"""Arguments of commands on positions, see grammar.py."""


class GeoAtoms:
    """No two members are to have one place: which of them COUNT lets through is open."""

    def _place(self, limit, constants):
        rng = self.rng
        chance = rng.random()
        if chance < 0.55:
            return b'%.6f' % rng.uniform(-limit, limit)
        if chance < 0.85:
            return b'%.7f' % (rng.choice((0, 13, 15, -40, 60, 80)) + rng.uniform(-1, 1))
        if chance < 0.92 and constants:
            return rng.choice(constants)
        if chance < 0.98:
            return repr(rng.uniform(-limit, limit)).encode()
        return rng.choice((b'180.1', b'-181', b'86', b'-85.06', b'1e2', b'abc', b'', b'inf', b'nan'))

    def atom_lon(self):
        return self._place(180, (b'0', b'-0.0', b'1', b'15', b'37', b'-70', b'180', b'-180'))

    def atom_lat(self):
        return self._place(85.05, ())

    def atom_around(self):
        """Many members near one place."""
        rng = self.rng
        lon, lat = rng.uniform(-170, 170), rng.uniform(-80, 80)
        size = rng.choice((0.02, 1, 8))
        out = []
        for i in range(rng.choice((3, 10, 40))):
            out += [b'%.9f' % (lon + rng.uniform(-size, size)), b'%.9f' % max(-85, min(85, lat + rng.uniform(-size, size))),
                    b'm%d' % rng.randrange(40)]
        return out

    def atom_length(self):
        rng = self.rng
        chance = rng.random()
        if chance < 0.93:
            return b'%.3f' % (rng.random() * 10 ** rng.randrange(0, 8))
        return rng.choice((b'0', b'-1', b'1e10', b'abc', b'', b'inf', b'0.5', b'20000000', b'nan'))

    def atom_corners(self):
        """A polygon of any shape, around one place, with how many corners it has."""
        rng = self.rng
        lon, lat = rng.uniform(-170, 170), rng.uniform(-75, 75)
        size, count = rng.choice((1, 8, 40)), rng.choice((3, 4, 5, 9))
        out = [b'%d' % rng.choice((count,) * 30 + (count - 1, count + 1, 0))]
        for _ in range(count):
            out += [b'%.6f' % max(-180, min(180, lon + rng.uniform(-size, size))),
                    b'%.6f' % max(-85, min(85, lat + rng.uniform(-size, size)))]
        return out

    def atom_unit(self):
        if self.rng.random() < 0.97:
            return self.rng.choice((b'm', b'km', b'ft', b'mi', b'KM'))
        return self.rng.choice((b'x', b'', b'kms'))


def tame_geo(name, args):
    """Distances are no places: they are kept where nothing is searched."""
    words = [arg.upper() for arg in args]
    if name == b'GEOSEARCHSTORE' and b'STOREDIST' in words and len(args) > 1:
        args[1] = b'distances'
    if name in (b'GEORADIUS', b'GEORADIUSBYMEMBER'):
        for word in (b'STORE', b'STOREDIST'):
            if words.count(word) > 1:
                del args[words.index(word, words.index(word) + 1):]
                words = words[:len(args)]
        if b'STOREDIST' in words[:-1]:
            args[words.index(b'STOREDIST') + 1] = b'distances'
