# SPDX-License-Identifier: BSD-3-Clause
"""Arguments of commands on HyperLogLogs, see grammar.py."""

HEADER = b'HYLL\x01\x00\x00\x00' + b'\x00' * 7 + b'\x80'


class HyperLogLogAtoms:
    def atom_element(self):
        if self.rng.random() < 0.1:
            return self.atom_val()
        return b'e%d' % self.rng.randrange(self.rng.choice((20, 1000, 1 << 30)))

    def atom_elements(self):
        return [b'e%d' % self.rng.randrange(1 << 30)
                for _ in range(self.rng.choice((10, 50, 300, 2000)))]

    def atom_hll(self):
        """A sparse one made of runs as they come."""
        rng = self.rng
        left, runs = 16384, []
        while left:
            kind = rng.random() if len(runs) < 3000 else 0.9
            if kind < 0.55:
                span = min(left, rng.choice((1, 1, 2, 3, 4)))
                runs.append(bytes([0x80 | rng.choice((0, 0, 1, 1, 2, 5, 31, rng.randrange(32))) << 2 | span - 1]))
            elif kind < 0.8:
                span = min(left, rng.randrange(1, 65))
                runs.append(bytes([span - 1]))
            else:
                span = min(left, rng.choice((65, 300, 5000, 16384)))
                runs.append(bytes([0x40 | span - 1 >> 8, span - 1 & 255]))
            left -= span
        return HEADER + b''.join(runs)
