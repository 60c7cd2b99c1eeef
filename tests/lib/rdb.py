# SPDX-License-Identifier: BSD-3-Clause
"""Payloads of RESTORE, written by hand: every form that data files have ever had.

payload(CODE, body) gives what DUMP would have returned.  The functions below write the parts: lengths and
strings, and the small collections of their time: zipmaps, ziplists, listpacks, arrays of integers.
"""

import struct

STRING, LIST, SET, ZSET, HASH, ZSET_2 = range(6)
MODULE, MODULE_2 = 6, 7
HASH_ZIPMAP, LIST_ZIPLIST, SET_INTSET, ZSET_ZIPLIST, HASH_ZIPLIST, LIST_QUICKLIST = range(9, 15)
STREAM, HASH_LISTPACK, ZSET_LISTPACK, LIST_QUICKLIST_2, STREAM_2, SET_LISTPACK, STREAM_3 = \
    range(15, 22)
HASH_METADATA_OLD, HASH_LISTPACK_EX_OLD, HASH_METADATA, HASH_LISTPACK_EX = range(22, 26)
VALKEY_HASH_2 = 22
STREAM_4 = 26


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x95ac9329ac4bc9b5 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc64(data):
    total = 0
    for byte in data:
        total = _TABLE[(total ^ byte) & 255] ^ total >> 8
    return total


def payload(code, body=b'', version=10):
    return sealed(bytes([code]) + body, version)


def sealed(data, version=10):
    """With a footer that is right."""
    data += struct.pack('<H', version)
    return data + struct.pack('<Q', crc64(data))


# ---- parts


def length(number):
    if number < 64:
        return bytes([number])
    if number < 16384:
        return struct.pack('>H', number | 0x4000)
    if number < 1 << 32:
        return b'\x80' + struct.pack('>I', number)
    return b'\x81' + struct.pack('>Q', number)


def string(text):
    return length(len(text)) + text


def strings(*texts):
    return b''.join(map(string, texts))


def small_int(number, size):
    """A string that is kept as an integer of 1, 2 or 4 bytes."""
    return bytes([{1: 0xc0, 2: 0xc1, 4: 0xc2}[size]]) + number.to_bytes(size, 'little', signed=True)


def lzf_run(byte, count):
    """A compressed string: one byte, `count` times (5 to 266): itself, a reference to it, itself."""
    rest = count - 4
    reference = bytes([0xe0, rest - 7, 0]) if rest >= 7 else bytes([rest << 5, 0])
    packed = bytes([0, byte]) + reference + bytes([0, byte])
    return b'\xc3' + length(len(packed)) + length(count) + packed


def double_text(text):
    """A score as it was written until 4.0."""
    special = {b'inf': 254, b'-inf': 255, b'nan': 253}
    return bytes([special[text]]) if text in special else bytes([len(text)]) + text


def double(number):
    return struct.pack('<d', number)


def ms(number):
    return struct.pack('<q', number)


# ---- small collections


def _zipmap_length(number):
    return bytes([number]) if number < 254 else b'\xfe' + struct.pack('<I', number)


def zipmap(*pairs, spare=0):
    out = bytes([min(len(pairs), 254)])
    for field, value in pairs:
        out += _zipmap_length(len(field)) + field
        out += _zipmap_length(len(value)) + bytes([spare]) + value + b'?' * spare
    return out + b'\xff'


def _ziplist_item(item):
    if isinstance(item, int):
        if 0 <= item <= 12:
            return bytes([0xf1 + item])
        for head, size in ((0xfe, 1), (0xc0, 2), (0xf0, 3), (0xd0, 4), (0xe0, 8)):
            if -(1 << size * 8 - 1) <= item < 1 << size * 8 - 1:
                return bytes([head]) + item.to_bytes(size, 'little', signed=True)
    if len(item) < 64:
        return bytes([len(item)]) + item
    if len(item) < 16384:
        return struct.pack('>H', len(item) | 0x4000) + item
    return b'\x80' + struct.pack('>I', len(item)) + item


def ziplist(*items, wide=False):
    """wide: each length of the item before takes five bytes, as a change in the middle leaves it."""
    body, before, tail = b'', 0, 10
    for item in items:
        tail = 10 + len(body)
        head = bytes([before]) if before < 254 and not wide else b'\xfe' + struct.pack('<I', before)
        entry = head + _ziplist_item(item)
        body += entry
        before = len(entry)
    return struct.pack('<IIH', len(body) + 11, tail, min(len(items), 65535)) + body + b'\xff'


def _listpack_item(item):
    if isinstance(item, int):
        if 0 <= item <= 127:
            return bytes([item])
        if -4096 <= item <= 4095:
            return struct.pack('>H', 0xc000 | item & 0x1fff)
        for head, size in ((0xf1, 2), (0xf2, 3), (0xf3, 4), (0xf4, 8)):
            if -(1 << size * 8 - 1) <= item < 1 << size * 8 - 1:
                return bytes([head]) + item.to_bytes(size, 'little', signed=True)
    if len(item) < 64:
        return bytes([0x80 | len(item)]) + item
    if len(item) < 4096:
        return struct.pack('>H', 0xe000 | len(item)) + item
    return b'\xf0' + struct.pack('<I', len(item)) + item


def _back_length(number, fits=False):
    """fits: as Valkey 9 has it, where 16383 fits two bytes."""
    size = 1
    while number > (1 << 7 * size) - (1 if fits or size == 1 else 2):
        size += 1
    digits = [number >> 7 * i & 127 for i in reversed(range(size))]
    return bytes([digits[0]] + [digit | 128 for digit in digits[1:]])


def listpack(*items, fits=False):
    body = b''
    for item in items:
        entry = _listpack_item(item)
        body += entry + _back_length(len(entry), fits)
    return struct.pack('<IH', len(body) + 7, min(len(items), 65535)) + body + b'\xff'


def intset(*numbers, size=2):
    return struct.pack('<II', size, len(numbers)) + b''.join(
        number.to_bytes(size, 'little', signed=True) for number in numbers)


# ---- streams


def ident(text):
    """The 16 bytes of an identifier."""
    return struct.pack('>QQ', *map(int, text.split('-')))


def lengths(*numbers):
    return b''.join(map(length, numbers))


def id_lengths(text):
    return lengths(*map(int, text.split('-')))


def stream_node(base, names, *entries, kept=None, deleted=None):
    """entries: (ms, seq, values) with the node's names, or (ms, seq, dict); a True behind it: deleted."""
    items = [sum(len(e) < 4 for e in entries) if kept is None else kept,
             sum(len(e) > 3 for e in entries) if deleted is None else deleted, len(names), *names, 0]
    for ms_part, seq, fields, *gone in entries:
        if isinstance(fields, dict):
            items += [int(bool(gone)), ms_part, seq, len(fields)]
            items += [item for pair in fields.items() for item in pair] + [2 * len(fields) + 4]
        else:
            items += [2 | int(bool(gone)), ms_part, seq, *fields, len(fields) + 3]
    return string(ident(base)) + string(listpack(*items))


def stream(code, nodes, count, last, first='0-0', max_deleted='0-0', added=None, groups=(), tail=b''):
    """groups: what group() made."""
    body = length(len(nodes)) + b''.join(nodes) + length(count) + id_lengths(last)
    if code != STREAM:
        body += id_lengths(first) + id_lengths(max_deleted) + length(count if added is None else added)
    return body + length(len(groups)) + b''.join(groups) + tail


def group(code, name, last, pending=(), consumers=(), read=0):
    """pending: (id, time, deliveries); consumers: (name, seen, active, [id...])."""
    body = string(name) + id_lengths(last)
    if code != STREAM:
        body += length(read % (1 << 64))
    body += length(len(pending))
    for which, when, deliveries in pending:
        body += ident(which) + ms(when) + length(deliveries)
    body += length(len(consumers))
    for called, seen, active, own in consumers:
        body += string(called) + ms(seen) + (ms(active) if code not in (STREAM, STREAM_2) else b'')
        body += length(len(own)) + b''.join(map(ident, own))
    return body
