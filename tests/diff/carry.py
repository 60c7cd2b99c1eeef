# SPDX-License-Identifier: BSD-3-Clause
"""~carry FROM TO: what each server dumps of a key is restored under another by the other server.

So both hold the same afterwards, if each can read what the other writes.
"""


def carry(oracle, subject, args):
    """None, or (expected, actual, note)."""
    source, target = args
    dumps = [side.call('DUMP', source) for side in (oracle, subject)]
    if dumps[0][0] != dumps[1][0] or (dumps[0][1] is None) != (dumps[1][1] is None):
        return dumps[0], dumps[1], 'the dump of %r' % source
    if dumps[0][0] != '$' or dumps[0][1] is None:
        return None
    replies = [side.call('RESTORE', target, '0', dump[1], 'REPLACE')
               for side, dump in ((oracle, dumps[1]), (subject, dumps[0]))]
    if replies != [('+', b'OK')] * 2:
        return replies[0], replies[1], 'each takes what the other dumped of %r' % source
    return None
