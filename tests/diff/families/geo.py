# SPDX-License-Identifier: BSD-3-Clause
"""Positions."""

from family import Family

FROM = '(FROMMEMBER <member>|FROMLONLAT <lon> <lat>)'
BY = '(BYRADIUS <length> <unit>|BYBOX <length> <length> <unit>)'
WITH = '{WITHCOORD|WITHDIST|WITHHASH|ASC|DESC|COUNT <pcount>|COUNT <pcount> ANY}'

GRAMMARS = [
    (5, 'GEOADD <key> {NX|XX|CH} <lon> <lat> <member> (<lon> <lat> <member>)*'),
    (2, 'GEOADD <key> <around>'),
    (2, 'GEOPOS <key> <member>+'), (2, 'GEOHASH <key> <member>+'),
    (3, 'GEODIST <key> <member> <member> [<unit>]'),
    (6, 'GEOSEARCH <key> ' + FROM + ' ' + BY + ' ' + WITH),
    (1, 'GEOSEARCH <key> ' + BY + ' ' + FROM + ' ' + WITH),
    (0.3, 'GEOSEARCH <key> {FROMMEMBER <member>|FROMLONLAT <lon> <lat>|BYRADIUS <length> <unit>|'
          'BYBOX <length> <length> <unit>|ANY|ASC|COUNT <count>|STOREDIST|STORE <key>}'),
    (2, 'GEOSEARCHSTORE <key> <key> ' + FROM + ' ' + BY + ' {ASC|DESC|COUNT <pcount>|STOREDIST}'),
    (2, '(GEORADIUS|GEORADIUS_RO) <key> <lon> <lat> <length> <unit> ' + WITH),
    (1, 'GEORADIUS <key> <lon> <lat> <length> <unit> {ASC|DESC|COUNT <pcount>|STORE <key>|STOREDIST <key>}'),
    (2, '(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) <key> <member> <length> <unit> ' + WITH),
    (1, 'GEORADIUSBYMEMBER <key> <member> <length> <unit> {ASC|DESC|COUNT <pcount>|STORE <key>|STOREDIST <key>}'),
    (1, 'ZREM <key> <member>'),
    (0.5, 'ZRANGE <key> 0 -1 WITHSCORES'), (0.1, 'SET <key> x'),
]

# What Valkey 9 brought.  The order of what is not sorted is not the same there.
NEWER = [
    (4, 'GEOSEARCH <key> BYPOLYGON <corners> (ASC|DESC) {WITHCOORD|WITHDIST|WITHHASH|COUNT <pcount>}'),
    (1, 'GEOSEARCHSTORE <key> <key> BYPOLYGON <corners> {ASC|DESC|COUNT <pcount>}'),
    (0.5, 'GEOSEARCH <key> BYPOLYGON <corners> ' + FROM), (3, 'GEOADD <key> <around>'),
]

FAMILIES = [Family('geo', 'zset', GRAMMARS),
            Family('geo-newer', 'zset', NEWER, since={'redis': '99', 'valkey': '9.0'})]
