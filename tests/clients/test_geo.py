# SPDX-License-Identifier: BSD-3-Clause
"""Positions, as their users rely on them."""

import math
import random

import pytest
import redis

from conftest import until

SICILY = (13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')


@pytest.fixture
def sicily(db):
    assert db.geoadd('sicily', SICILY) == 2
    return db


def test_positions_and_distances(sicily):
    assert sicily.geodist('sicily', 'Palermo', 'Catania') == 166274.1516
    assert sicily.geodist('sicily', 'Palermo', 'Catania', unit='km') == 166.2742
    assert sicily.geodist('sicily', 'Palermo', 'Catania', unit='mi') == 103.3182
    assert sicily.geodist('sicily', 'Palermo', 'nowhere') is None
    assert sicily.geohash('sicily', 'Palermo', 'Catania', 'nowhere') == ['sqc8b49rny0', 'sqdtr74hyu0', None]
    (lon, lat), nowhere = sicily.geopos('sicily', 'Palermo', 'nowhere')
    assert (round(lon, 5), round(lat, 5), nowhere) == (13.36139, 38.11556, None)
    assert sicily.zscore('sicily', 'Palermo') == 3479099956230698


def test_conditions_of_adding(sicily):
    assert sicily.geoadd('sicily', (1, 1, 'Palermo'), nx=True) == 0
    assert sicily.geodist('sicily', 'Palermo', 'Catania', unit='km') == 166.2742
    assert sicily.geoadd('sicily', (13.5, 38, 'Palermo', 2, 2, 'new'), xx=True, ch=True) == 1
    assert sicily.zcard('sicily') == 2
    assert sicily.geoadd('none', (1, 1, 'x'), xx=True) == 0 and not sicily.exists('none')
    for bad in ((200, 1, 'x'), (1, 86, 'x')):
        with pytest.raises(redis.ResponseError, match='invalid longitude,latitude pair'):
            sicily.geoadd('sicily', bad)


def test_what_is_near(sicily):
    sicily.geoadd('sicily', (12.758489, 38.788135, 'edge1', 17.241510, 38.788135, 'edge2'))
    assert sicily.geosearch('sicily', longitude=15, latitude=37, radius=200, unit='km', sort='ASC') == [
        'Catania', 'Palermo']
    found = sicily.geosearch('sicily', longitude=15, latitude=37, width=400, height=400, unit='km', sort='ASC',
                             withdist=True)
    assert found == [['Catania', 56.4413], ['Palermo', 190.4424], ['edge2', 279.7403], ['edge1', 279.7405]]
    assert sicily.geosearch('sicily', member='Catania', radius=1, unit='m') == ['Catania']
    assert sicily.geosearch('sicily', longitude=15, latitude=37, radius=400, unit='km', sort='DESC', count=1) == [
        'edge1']
    assert len(sicily.geosearch('sicily', longitude=15, latitude=37, radius=400, unit='km', count=2, any=True)) == 2
    (name, distance, score, (lon, lat)), = sicily.georadius(
        'sicily', 15, 37, 100, unit='km', withdist=True, withhash=True, withcoord=True)
    assert (name, distance, score, round(lon, 4)) == ('Catania', 56.4413, 3479447370796909, 15.0873)


def test_stored_results(sicily):
    assert sicily.geosearchstore('near', 'sicily', longitude=15, latitude=37, radius=100, unit='km') == 1
    assert sicily.zrange('near', 0, -1, withscores=True) == [('Catania', 3479447370796909)]
    assert sicily.geosearchstore('near', 'sicily', longitude=15, latitude=37, radius=200, unit='km', storedist=True) == 2
    assert [(m, round(s, 4)) for m, s in sicily.zrange('near', 0, -1, withscores=True)] == [
        ('Catania', 56.4413), ('Palermo', 190.4424)]
    assert sicily.georadius('sicily', 15, 37, 100, unit='km', store='near') == 1
    assert sicily.georadiusbymember('sicily', 'Palermo', 1, unit='km', store_dist='near') == 1
    assert sicily.zscore('near', 'Palermo') == 0
    # Nothing found, or nothing to search in: the destination goes; it may be the source itself.
    assert sicily.geosearchstore('near', 'sicily', longitude=1, latitude=1, radius=1, unit='m') == 0
    assert not sicily.exists('near')
    assert sicily.geosearchstore('sicily', 'sicily', member='Palermo', radius=1, unit='km') == 1
    assert sicily.zrange('sicily', 0, -1) == ['Palermo']
    assert sicily.geosearchstore('sicily', 'missing', member='Palermo', radius=1, unit='km') == 0
    assert not sicily.exists('sicily')


def haversine(a, b):
    lon1, lat1, lon2, lat2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6372797.560856 * math.asin(min(1, math.sqrt(h)))


def test_search_finds_what_a_walk_finds(db):
    """Every circle against a walk over all members, at the poles and over the date line as well."""
    rng = random.Random(5)
    members = []
    for i in range(3000):
        members += [rng.uniform(-180, 180), rng.uniform(-85, 85), 'm%d' % i]
    db.geoadd('k', members)
    places = dict(zip(members[2::3], db.geopos('k', *members[2::3])))
    for _ in range(150):
        center = (rng.uniform(-180, 180), rng.choice((rng.uniform(-85, 85), rng.uniform(60, 70))))
        radius = 10 ** rng.uniform(4, 6.3)
        bound = radius / 6372797 * 57.3
        if abs(center[0]) + bound / max(0.05, math.cos(math.radians(center[1]))) > 170 or abs(center[1]) + bound > 84:
            continue  # over the date line or the poles neighbours are not all looked at, as in Redis
        expected = sorted((haversine(center, place), name) for name, place in places.items()
                          if haversine(center, place) <= radius)
        found = db.geosearch('k', longitude=center[0], latitude=center[1], radius=radius, unit='m', sort='ASC',
                             withdist=True)
        assert [name for name, _ in found] == [name for _, name in expected]
        assert all(abs(a - b) < 0.001 for (_, a), (b, _) in zip(found, expected))
        nearest = db.geosearch('k', longitude=center[0], latitude=center[1], radius=radius, unit='m', count=3)
        assert nearest == [name for _, name in expected[:3]]


@pytest.mark.newer
def test_polygons(raw):
    client = raw()
    client.do('GEOADD', 'g', *map(str, SICILY), '12.5', '38', 'Trapani')
    island = '4 12 36 17 36 17 39 12 39'.split()
    assert client.do('GEOSEARCH', 'g', 'BYPOLYGON', *island, 'ASC', 'WITHDIST') == [
        [b'Catania', b'51878.2840'], [b'Palermo', b'119592.4972'], [b'Trapani', b'183576.7001']]
    east = '3 12 36 17 36 17 39'.split()
    assert client.do('GEOSEARCH', 'g', 'BYPOLYGON', *east) == [b'Catania']
    assert client.do('GEOSEARCHSTORE', 'd', 'g', 'BYPOLYGON', *east) == 1
    assert client.call('GEOSEARCH', 'g', 'BYPOLYGON', '2', '12', '36', '17', '36') == (
        '-', b'ERR GEOSEARCH BYPOLYGON must have at least 3 vertices')
    assert client.call('GEOSEARCH', 'g', 'BYPOLYGON', *east, 'FROMMEMBER', 'Palermo')[0] == '-'


def test_shapes_of_replies_in_resp3(raw):
    client = raw()
    client.call('HELLO', '3')
    client.do('GEOADD', 'g', '13.361389', '38.115556', 'a')
    assert client.call('GEODIST', 'g', 'a', 'a') == ('$', b'0.0000')
    kind, ((_, ((lon_kind, _), (lat_kind, _))), nothing) = client.call('GEOPOS', 'g', 'a', 'none')
    assert (kind, lon_kind, lat_kind, nothing[1]) == ('*', ',', ',', None)
    client.call('HELLO', '2')
    assert client.do('GEOPOS', 'g', 'a') == [[b'13.36138933897018433', b'38.11555639549629859']]


def test_mistakes(raw):
    client = raw()
    client.do('GEOADD', 'g', '1', '1', 'a')
    for command, error in (
            ('GEOSEARCH g FROMMEMBER none BYRADIUS 1 km', 'could not decode requested zset member'),
            ('GEOSEARCH g FROMLONLAT 1 1 BYRADIUS -1 km', 'radius cannot be negative'),
            ('GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1 parsec', 'unsupported unit provided. please use M, KM, FT, MI'),
            ('GEOSEARCH g FROMLONLAT 1 1 BYBOX 1 x km', 'need numeric height'),
            ('GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1 km ANY', 'the ANY argument requires COUNT argument'),
            ('GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1 km COUNT 0', 'COUNT must be > 0'),
            ('GEOSEARCH g BYRADIUS 1 km ASC WITHDIST', 'exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH'),
            ('GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 1 km WITHDIST',
             'GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options'),
            ('GEORADIUS_RO g 1 1 1 km STORE d', 'syntax error'),
            ('GEOADD g NX XX 1 1 a', 'syntax error')):
        assert client.call(*command.split()) == ('-', b'ERR ' + error.encode()), command
    client.do('SET', 's', 'x')
    assert client.call('GEOSEARCH', 's', 'FROMLONLAT', '1', '1', 'BYRADIUS', 'x', 'y')[1].startswith(b'WRONGTYPE')


def test_scores_that_are_no_places(db):
    """ZADD may put anything; what comes out is a place all the same."""
    for i, score in enumerate(('-1', '-1e300', '1e300', 'inf', '-inf', '9007199254740993', '1.5', '18446744073709551615')):
        db.zadd('odd', {'m%d' % i: score})
    for lon, lat in db.geopos('odd', *db.zrange('odd', 0, -1)):
        assert -180 <= lon <= 180 and -85.0511288 <= lat <= 85.0511288
    assert all(len(text) == 11 for text in db.geohash('odd', *db.zrange('odd', 0, -1)))
    db.geosearch('odd', longitude=1, latitude=1, radius=30000, unit='km', sort='ASC')


def test_events(db, connect):
    db.config_set('notify-keyspace-events', 'KEA')
    listener = connect().pubsub()
    listener.psubscribe('__keyevent@0__:*')
    until(lambda: listener.get_message(), 'subscription')
    try:
        db.geoadd('g', (1, 1, 'a'))
        db.geoadd('g', (1, 1, 'a'))
        db.geosearchstore('d', 'g', longitude=1, latitude=1, radius=1, unit='km')
        db.georadius('g', 1, 1, 1, unit='km', store='d')
        db.geosearchstore('d', 'g', longitude=50, latitude=1, radius=1, unit='km')
        db.set('end', 1)
        seen = []
        while not seen or seen[-1] != ('set', 'end'):
            message = until(lambda: listener.get_message(), 'event')
            seen.append((message['channel'].split(':')[1], message['data']))
        assert [event for event in seen if event[0] != 'new'] == [
            ('zadd', 'g'), ('geosearchstore', 'd'), ('georadiusstore', 'd'), ('del', 'd'), ('set', 'end')]
    finally:
        db.config_set('notify-keyspace-events', '')
        listener.close()
