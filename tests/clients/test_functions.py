# SPDX-License-Identifier: BSD-3-Clause
"""Libraries of functions, by the examples of their users and to the letter of their errors."""

import threading

import pytest
import redis

from conftest import until

LIBRARY = """#!lua name=mylib
local function check(keys)
  if #keys == 0 then return redis.error_reply('Hash key name not provided') end
  return nil
end
local function my_hset(keys, args)
  local error = check(keys)
  if error ~= nil then return error end
  local time = redis.call('TIME')[1]
  return redis.call('HSET', keys[1], '_last_modified_', time, unpack(args))
end
redis.register_function('my_hset', my_hset)
redis.register_function{function_name='my_hgetall', callback=function(keys) redis.setresp(3)
  local got = redis.call('HGETALL', keys[1]) got['map']['_last_modified_'] = nil return got end,
  flags={'no-writes'}, description='all but the time'}
"""


@pytest.fixture
def library(db):
    db.execute_command('FUNCTION', 'FLUSH')
    yield lambda code, *options: db.execute_command('FUNCTION', 'LOAD', *options, code)
    db.execute_command('FUNCTION', 'FLUSH')


def error_of(call, *args):
    with pytest.raises(redis.ResponseError) as caught:
        call(*args)
    return str(caught.value)


def test_hash_with_a_time(db, library):
    assert library(LIBRARY) == 'mylib'
    assert db.execute_command('FCALL', 'my_hset', 1, 'h', 'a', '1', 'b', '2') == 3
    assert db.hkeys('h') == ['_last_modified_', 'a', 'b']
    assert sorted(db.execute_command('FCALL_RO', 'MY_HGETALL', 1, 'h')) == ['1', '2', 'a', 'b']
    assert error_of(db.execute_command, 'FCALL', 'my_hset', 0) == 'Hash key name not provided'
    assert error_of(db.execute_command, 'FCALL_RO', 'my_hset', 1, 'h') == (
        'Can not execute a script with write flag using *_ro command.')
    assert error_of(db.execute_command, 'FCALL', 'none', 0) == 'Function not found'
    assert error_of(db.execute_command, 'FCALL', 'my_hset', 'x') == 'Bad number of keys provided'


def test_list_and_stats(db, library):
    library(LIBRARY)
    library("#!lua name=other\nredis.register_function('f', function() return 1 end)")
    (one,) = db.execute_command('FUNCTION', 'LIST', 'LIBRARYNAME', 'my*', 'WITHCODE')
    assert one[:4] == ['library_name', 'mylib', 'engine', 'LUA'] and one[-1] == LIBRARY
    functions = {function[1]: function for function in one[5]}
    assert functions['my_hset'] == ['name', 'my_hset', 'description', None, 'flags', []]
    assert functions['my_hgetall'] == ['name', 'my_hgetall', 'description', 'all but the time', 'flags', ['no-writes']]
    assert db.execute_command('FUNCTION', 'STATS') == [
        'running_script', None, 'engines', ['LUA', ['libraries_count', 2, 'functions_count', 3]]]
    assert db.info('memory')['number_of_functions'] == 3
    db.execute_command('FUNCTION', 'DELETE', 'other')
    assert error_of(db.execute_command, 'FUNCTION', 'DELETE', 'other') == 'Library not found'
    assert error_of(db.execute_command, 'FCALL', 'f', 0) == 'Function not found'


def test_replace(db, library):
    code = "#!lua name=lib\nredis.register_function('%s', function() return '%s' end)"
    library(code % ('f', 'old'))
    assert error_of(library, code % ('f', 'new')) == "Library 'lib' already exists"
    assert db.execute_command('FCALL', 'f', 0) == 'old'
    library(code % ('g', 'new'), 'REPLACE')
    assert db.execute_command('FCALL', 'g', 0) == 'new'
    assert error_of(db.execute_command, 'FCALL', 'f', 0) == 'Function not found'
    assert error_of(library, "#!lua name=two\nredis.register_function('G', function() end)") == 'Function G already exists'


@pytest.mark.parametrize('code, error', [
    ('return 1', 'Missing library metadata'),
    ('#!lua name=x', 'Invalid library metadata'),
    ('#!lua\nreturn 1', 'Library name was not given'),
    ('#!lua name=a-b\nreturn 1', 'Library names can only contain letters, numbers, or underscores(_) and must be at least '
                                 'one character long'),
    ('#!js name=a\nreturn 1', "Engine 'js' not found"),
    ('#!lua name=a\nlocal x = 1', 'No functions registered'),
    ('#!lua name=a\nfoo(', "Error compiling function: user_function:2: unexpected symbol near '<eof>'"),
    ("#!lua name=a\nredis.call('get', 'x')", "Error registering functions: ERR user_function:2: Script attempted to access "
                                             "nonexistent global variable 'call'"),
    ('#!lua name=a\nx = 1', 'Error registering functions: ERR user_function:2: Attempt to modify a readonly table'),
    ("#!lua name=a\nredis.register_function('a')", 'Error registering functions: ERR calling redis.register_function with a '
     'single argument is only applicable to Lua table (representing named arguments).'),
    ("#!lua name=a\nredis.register_function{function_name='a', callback=function() end, flags={'foo'}}",
     'Error registering functions: ERR unknown flag given'),
    ("#!lua name=a\nredis.register_function('f', function() end)\nredis.register_function('f', function() end)",
     'Error registering functions: ERR Function already exists in the library'),
])
def test_errors(db, library, code, error):
    assert error_of(library, code) == error
    assert db.execute_command('FUNCTION', 'LIST') == []


def test_what_functions_see(db, library):
    library("#!lua name=lib\nlocal captured = redis\n"
            "redis.register_function('keys_of_scripts', function() return type(rawget(_G, 'KEYS')) end)\n"
            "redis.register_function('global', function() x = 1 end)\n"
            "redis.register_function('late', function() return redis.register_function('z', function() end) end)\n"
            "redis.register_function('captured', function() return captured.call('ping') end)")
    db.eval('return KEYS[1]', 1, 'k')
    assert db.execute_command('FCALL', 'keys_of_scripts', 0) == 'nil'
    assert 'Attempt to modify a readonly table' in error_of(db.execute_command, 'FCALL', 'global', 0)
    assert 'attempt to call field' in error_of(db.execute_command, 'FCALL', 'late', 0)
    assert db.execute_command('FCALL', 'captured', 0) in ('PONG', True)


def test_dump_and_restore(connect, library):
    raw = connect(decode_responses=False)
    library(LIBRARY)
    payload = raw.execute_command('FUNCTION', 'DUMP')
    assert error_of(raw.execute_command, 'FUNCTION', 'RESTORE', payload) == 'Library mylib already exists'
    for policy in ('REPLACE', 'FLUSH'):
        assert raw.execute_command('FUNCTION', 'RESTORE', payload, policy) == b'OK'
    raw.execute_command('FUNCTION', 'FLUSH')
    assert raw.execute_command('FUNCTION', 'RESTORE', payload) == b'OK'
    assert raw.execute_command('FCALL', 'my_hset', 1, 'h2', 'a', '1') == 2
    raw.delete('h2')
    for damaged in (payload[:-1], payload[:40] + b'x' + payload[41:], b''):
        assert error_of(raw.execute_command, 'FUNCTION', 'RESTORE', damaged) == 'DUMP payload version or checksum are wrong'
    # Made by redis-server 7.0.15.
    foreign = (b"\xf5@E#!lua name=d1\nredis.register_function('d1f', function() return 9 end)"
               b"\n\x00\x90\xb6\x19#m\xc5\xde\xc0")
    assert raw.execute_command('FUNCTION', 'RESTORE', foreign) == b'OK'
    assert raw.execute_command('FCALL', 'd1f', 0) == 9
    raw.execute_command('FUNCTION', 'FLUSH')
    raw.execute_command('FUNCTION', 'RESTORE', foreign)
    assert raw.execute_command('FUNCTION', 'DUMP') == foreign


def test_functions_come_and_go_while_they_are_called(connect, library):
    code = "#!lua name=lib\nredis.register_function('f', function(keys) return redis.call('incr', keys[1]) end)"
    library(code)
    done, failures = threading.Event(), []

    def call(key):
        client, count = connect(), 0
        while not done.is_set():
            try:
                count += 1
                if client.execute_command('FCALL', 'f', 1, key) != count:
                    failures.append(key)
            except redis.ResponseError as error:
                count -= 1
                if str(error) != 'Function not found':
                    failures.append(str(error))

    threads = [threading.Thread(target=call, args=('key%d' % i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        library(code, 'REPLACE')
        library("#!lua name=other\nredis.register_function('g', function() return 1 end)", 'REPLACE')
    done.set()
    for thread in threads:
        thread.join()
    assert not failures


def lua_bytes(db):
    return int(db.info('memory')['used_memory_vm_total'])


def test_libraries_that_were_replaced_take_no_memory(db, library):
    """A thread that loads and never calls forgets what was replaced as well; a flush gives the rest back."""
    text = '-- ' + 'x' * 4000
    code = "#!lua name=l\nlocal text = [[" + text + "%d]] redis.register_function('f', function() return #text end)"
    library(code % 0, 'REPLACE')
    for i in range(1, 1000):
        library(code % i, 'REPLACE')
    full = lua_bytes(db)
    assert full < 20 * 2**20
    db.execute_command('FUNCTION', 'FLUSH')
    assert until(lambda: lua_bytes(db) < 2**20, 'garbage to be collected')


def test_scripts_that_were_flushed_take_no_memory(db):
    for i in range(300):
        db.eval("return #[[%s]]" % (str(i) * 5000), 0)
    assert lua_bytes(db) > 2**20
    db.script_flush()
    assert until(lambda: lua_bytes(db) < 2**20, 'garbage to be collected')


def test_globals_of_functions_have_a_metatable_that_cannot_be_changed(db, library):
    library("#!lua name=l\nlocal function change() getmetatable(_G).__index = {} end\n"
            "local function look() return type(getmetatable(_G)) .. type(getmetatable(redis)) end\n"
            "redis.register_function('change', change) redis.register_function('look', look)")
    assert 'Attempt to modify a readonly table' in error_of(db.fcall, 'change', 0)
    assert db.fcall('look', 0) == 'tablenil'
