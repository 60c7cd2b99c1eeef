# SPDX-License-Identifier: BSD-3-Clause
"""Sequences as text files, and back.

    # name: zadd-nx-counts-additions
    # why: NX together with CH once counted elements that were left alone.
    # proto: 3
    # config: zset-max-listpack-entries 4
    # needs: redis 8.0
    ZADD z NX CH 1 a
    1> BLPOP l 0
    RPUSH l "a\\r\\n"
    = (integer) 1
    ~sleep 5
    ~compare

One command a line, quoted as redis-cli reads it; `N>` says on which connection, 0 where nothing
is said.  A line that starts with `=` is the reply that the command before it must have: with it a
file can be checked where no oracle knows the command (`needs`).  Replies are written as
resp.show() writes them.
"""

import os
import re
import shlex

from family import Sequence
from resp import quote

ESCAPES = {'n': b'\n', 'r': b'\r', 't': b'\t', 'a': b'\a', 'b': b'\b'}


def split(line):
    """The arguments of one line, unquoted."""
    args = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        if line[at] != '"':
            end = at
            while end < len(line) and not line[end].isspace():
                end += 1
            args.append(line[at:end].encode())
            at = end
            continue
        out = bytearray()
        at += 1
        while line[at] != '"':
            if line[at] == '\\':
                at += 1
                if line[at] == 'x':
                    out.append(int(line[at + 1:at + 3], 16))
                    at += 3
                    continue
                out += ESCAPES.get(line[at]) or line[at].encode()
                at += 1
            else:
                out += line[at].encode()
                at += 1
        at += 1
        args.append(bytes(out))
    return args


def word(arg):
    """One argument as it is written: quoted only where it has to be."""
    if re.fullmatch(rb'[-+A-Za-z0-9_.:,*?~{}\[\]()^<>@/|#=]+', arg):
        return arg.decode()
    return quote(arg)


def line(args):
    return ' '.join(word(arg) for arg in args)


def dump(sequence, notes=()):
    out = ['# name: ' + sequence.name]
    if sequence.why:
        out.append('# why: ' + sequence.why)
    if sequence.proto != 2:
        out.append('# proto: %d' % sequence.proto)
    for name, value in sequence.config.items():
        out.append('# config: %s %s' % (name, value))
    if sequence.needs:
        out.append('# needs: ' + sequence.needs)
    several = any(conn for conn, _ in sequence.steps)
    for conn, args in sequence.steps:
        out.append(('%d> ' % conn if several else '') + line(args))
    out += ['# ' + note for note in notes]
    return '\n'.join(out) + '\n'


def load(path):
    sequence = Sequence([], mode='multi', name=os.path.splitext(os.path.basename(path))[0])
    with open(path, encoding='utf-8') as file:
        for number, text in enumerate(file, 1):
            text = text.rstrip('\n')
            if not text.strip():
                continue
            if text.startswith('#'):
                _header(sequence, text, '%s:%d' % (path, number))
                continue
            if text.startswith('= '):
                sequence.expected.setdefault(len(sequence.steps) - 1, []).append(text[2:])
                continue
            match = re.match(r'(\d)> (.*)', text)
            conn, text = (int(match[1]), match[2]) if match else (0, text)
            sequence.steps.append((conn, split(text)))
    return sequence


def _header(sequence, text, where):
    match = re.match(r'# (name|why|proto|config|needs): (.*)', text)
    if not match:
        return
    what, value = match.groups()
    if what == 'proto':
        sequence.proto = int(value)
    elif what == 'config':
        words = shlex.split(value)
        if len(words) != 2:
            raise ValueError(where + ': config takes a name and a value')
        sequence.config[words[0]] = words[1]
    else:
        setattr(sequence, what, value)


def load_all(folder):
    names = sorted(name for name in os.listdir(folder) if name.endswith('.txt'))
    return [load(os.path.join(folder, name)) for name in names]
