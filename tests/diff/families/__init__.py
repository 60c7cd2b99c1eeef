# SPDX-License-Identifier: BSD-3-Clause
"""All families of commands, by name."""

from families import (bits, blocking, clients, databases, dumps, geo, hashes, hyperloglogs, keys, lists, mixed, newer, pubsub,
                      scan, scripts, sets, sorting, streams, strings, transactions, zsets)

MODULES = (strings, bits, hyperloglogs, keys, dumps, lists, hashes, sets, zsets, geo, sorting, scan, databases, transactions,
           pubsub, blocking, scripts, streams, clients, newer, mixed)

FAMILIES = {family.name: family for module in MODULES for family in module.FAMILIES}
