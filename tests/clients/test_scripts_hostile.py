# SPDX-License-Identifier: BSD-3-Clause
"""What a script could end the process with, were it not for script/repairs.c: Lua's own functions at their edges."""

import pytest
import redis


def failure(db, script):
    with pytest.raises(redis.ResponseError) as caught:
        db.eval(script, 0)
    return str(caught.value)


@pytest.mark.parametrize('bounds', ['-2, 2147483647', '0, 2147483647', '-2147483648, -2',
                                    '-2147483648, 2147483647', '1, 8001', '1, 2147483647'])
def test_unpack_of_too_much(db, bounds):
    assert 'too many results to unpack' in failure(db, 'return {unpack({1, 2, 3}, %s)}' % bounds)


def test_unpack(db):
    assert db.eval('return {unpack({1, 2, 3})}', 0) == [1, 2, 3]
    assert db.eval('return {unpack({1, 2, 3}, 2)}', 0) == [2, 3]
    assert db.eval('return {unpack({1, 2, 3}, 2, nil)}', 0) == [2, 3]
    assert db.eval('return {unpack({1, 2, 3}, 1, -1)}', 0) == []
    assert db.eval('return {unpack({1, 2, 3}, -1, -2)}', 0) == []
    assert db.eval("return {select('#', unpack({1, 2, 3}, -1, 5))}", 0) == [7]
    assert db.eval("return {unpack({7}, 2147483647, 2147483647)}", 0) == []
    assert "bad argument #1 to 'unpack' (table expected, got number)" in failure(db, 'return unpack(1)')


def test_digits_of_tohex(db):
    assert db.eval("""return {bit.tohex(65535, -2147483648), bit.tohex(255, 2147483648), bit.tohex(-1), bit.tohex(255, 2),
                              bit.tohex(255, -2), bit.tohex(1, '3'), bit.tohex(255, 100)}""", 0) == [
        '0000FFFF', '000000FF', 'ffffffff', 'ff', 'FF', '001', '000000ff']
    assert "bad argument #2 to 'tohex'" in failure(db, "return bit.tohex(1, 'x')")


@pytest.mark.parametrize('call', ['string.find(s, p)', 's:find(p)', 'string.match(s, p)', 'string.gmatch(s, p)()',
                                  'string.gfind(s, p)()', "string.gsub(s, p, '')", "s:gsub(p, '')"])
@pytest.mark.parametrize('piece', ['a?', 'a*', 'a-', '(a)'])
def test_patterns_that_recur_without_end(db, call, piece):
    script = "local s, p = string.rep('a', 200000), string.rep('%s', 200000) return %s" % (piece, call)
    assert 'pattern too complex' in failure(db, script)


def test_long_patterns_that_are_simple(db):
    assert db.eval("local s = string.rep('ab', 100000) return (s:match(s)) == s and #s", 0) == 200000
    assert db.eval("local s = string.rep('a?', 100000) return {s:find(s, 1, true)}", 0) == [1, 200000]
    assert db.eval("return {('aaa'):gsub(string.rep('a?', 3000), 'b')}", 0) == ['bb', 2]


def test_replies_to_commands_with_as_many_arguments_as_fit(db):
    assert db.eval("local a = {} for i = 1, 7998 do a[i] = i end return redis.call('rpush', 'list', unpack(a))", 0) == 7998
    assert db.llen('list') == 7998
    assert db.eval("""local a = {} for i = 1, 7998 do a[i] = 'none' .. i end
                      return #redis.call('mget', unpack(a))""", 0) == 7998
    assert db.eval("""local a = {} for i = 1, 7998 do a[i] = 'x' end
                      return redis.pcall('set', unpack(a)).err""", 0) == 'ERR syntax error'
