# SPDX-License-Identifier: BSD-3-Clause
"""What a key holds, whatever its type, in a form that two servers can be compared by."""


def content(client, key):
    """client: of redis-py, without decode_responses."""
    kind = client.type(key).decode()
    if kind == 'string':
        value = client.get(key)
    elif kind == 'list':
        value = client.lrange(key, 0, -1)
    elif kind == 'set':
        value = sorted(client.smembers(key))
    elif kind == 'hash':
        value = sorted(client.hgetall(key).items())
    elif kind == 'zset':
        value = client.zrange(key, 0, -1, withscores=True)
    elif kind == 'stream':
        value = stream(client, key)
    else:
        value = None
    return kind, value


def _plain(reply):
    """Replies of XINFO as dicts, without what depends on when it was asked, or on the server's age."""
    if isinstance(reply, list) and len(reply) % 2 == 0 and reply and \
            all(isinstance(name, bytes) for name in reply[::2]):
        names = [name.decode() for name in reply[::2]]
        if 'length' in names or 'pel-count' in names or 'seen-time' in names:
            fields = {name: _plain(value) for name, value in zip(names, reply[1::2])}
            for name in ('radix-tree-keys', 'radix-tree-nodes', 'active-time', 'idle', 'inactive'):
                fields.pop(name, None)
            return fields
    return [_plain(item) for item in reply] if isinstance(reply, list) else reply


def stream(client, key):
    connection = client.connection_pool.get_connection('XINFO')
    try:
        connection.send_command('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0)
        return _plain(connection.read_response())
    finally:
        client.connection_pool.release(connection)
