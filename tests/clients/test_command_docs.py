# SPDX-License-Identifier: BSD-3-Clause
"""COMMAND DOCS: its tree of arguments, read back into a line, is the command's syntax."""

import pytest


def as_table(items):
    return dict(zip(items[::2], items[1::2]))


def line(argument):
    """One argument as documentation writes it."""
    table = as_table(argument)
    kind, flags = table[b'type'], table.get(b'flags', [])
    token = table.get(b'token', b'').decode()
    if kind == b'pure-token':
        text, token = token, ''
    elif kind == b'oneof':
        text = ' | '.join(map(line, table[b'arguments']))
        text = text if b'optional' in flags else '<' + text + '>'
    elif kind == b'block':
        text = ' '.join(map(line, table[b'arguments']))
    else:
        text = table[b'display_text'].decode()
    if b'multiple' in flags:
        text += ' [%s%s ...]' % (token + ' ' if b'multiple_token' in flags else '', text)
    text = (token + ' ' if token else '') + text
    return '[' + text + ']' if b'optional' in flags else text


@pytest.mark.newer
@pytest.mark.parametrize('command, syntax', [
    ('GET', 'key'),
    ('MSET', 'key value [key value ...]'),
    ('LINSERT', 'key <BEFORE | AFTER> pivot element'),
    ('ZADD', 'key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]'),
    ('LPOS', 'key element [RANK rank] [COUNT num-matches] [MAXLEN len]'),
    ('SORT', 'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] '
             '[ALPHA] [STORE destination]'),
    ('HELLO', '[protover [AUTH username password] [SETNAME clientname]]'),
    ('SRANDMEMBER', 'key [count]'),
    ('ZRANDMEMBER', 'key [count [WITHSCORES]]'),
    ('BLMPOP', 'timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]'),
])
def test_arguments(raw, command, syntax):
    docs = as_table(raw().do('COMMAND', 'DOCS', command))
    assert list(docs) == [command.lower().encode()]
    assert ' '.join(map(line, as_table(docs[command.lower().encode()])[b'arguments'])) == syntax


def test_every_command_has_its_page(raw):
    client = raw()
    docs = as_table(client.do('COMMAND', 'DOCS'))
    assert set(docs) == {name for name in client.do('COMMAND', 'LIST') if b'|' not in name}
    for name, page in docs.items():
        page = as_table(page)
        assert {b'summary', b'since', b'group'} <= set(page), name
        for argument in page.get(b'arguments', []):
            assert {b'name', b'type'} <= set(as_table(argument)), name


def test_commands_without_arguments_list_none(raw):
    docs = as_table(raw().do('COMMAND', 'DOCS', 'DBSIZE', 'nosuch'))
    assert list(docs) == [b'dbsize']
    assert b'arguments' not in as_table(docs[b'dbsize'])
