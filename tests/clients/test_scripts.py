# SPDX-License-Identifier: BSD-3-Clause
"""Lua scripts, as libraries use them: through redis-py, and byte for byte."""

import threading

import pytest
import redis


def error_of(db, script, *args):
    with pytest.raises(redis.ResponseError) as caught:
        db.eval(script, *(args or (0,)))
    return str(caught.value)


# ---- running ----


def test_eval_and_evalsha(db):
    assert db.eval("return {KEYS[1], KEYS[2], ARGV[1], #ARGV}", 2, 'a', 'b', 'c') == ['a', 'b', 'c', 1]
    sha = db.script_load("return redis.call('get', KEYS[1])")
    assert sha == '4e6d8fc8bb01276962cce5371fa795a7763657ae'
    db.set('k', 'v')
    assert db.evalsha(sha, 1, 'k') == db.evalsha(sha.upper(), 1, 'k') == 'v'
    assert db.script_exists(sha, 'f' * 40, 'nonsense') == [True, False, False]
    assert db.script_flush() is True
    assert db.script_exists(sha) == [False]
    with pytest.raises(redis.exceptions.NoScriptError):
        db.evalsha(sha, 1, 'k')


def test_registered_script(connect):
    db = connect()
    db.flushall()
    db.script_flush()
    add = db.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
    assert [add(keys=['n'], args=[i]) for i in (1, 2, 3)] == [1, 3, 6]


def test_keys_must_be_counted(db):
    for args, text in (((-1,), "Number of keys can't be negative"), (('x',), 'value is not an integer or out of range'),
                       ((3, 'a'), "Number of keys can't be greater than number of args")):
        with pytest.raises(redis.ResponseError) as caught:
            db.execute_command('EVAL', 'return 1', *args)
        assert str(caught.value) == text


def test_database_of_a_script_is_its_own(connect):
    db = connect()
    db.flushall()
    db.eval("redis.call('select', 3) redis.call('set', 'there', 1)", 0)
    assert db.get('there') is None
    assert connect(db=3).get('there') == '1'


def test_transactions(db):
    with db.pipeline() as pipeline:
        pipeline.set('k', 1)
        pipeline.eval("return redis.call('incr', KEYS[1]) + redis.call('incr', 'undeclared')", 1, 'k')
        pipeline.get('k')
        assert pipeline.execute() == [True, 3, '2']


def test_flags(db):
    assert 'Write commands are not allowed from read-only scripts.' in error_of(
        db, "#!lua flags=no-writes\nreturn redis.call('set', 'a', 1)")
    assert error_of(db, '#!lua flags=foo\nreturn 1') == 'Unexpected flag in script shebang: foo'
    assert error_of(db, '#!perl\nreturn 1') == 'Unexpected engine in script shebang: #!perl'
    with pytest.raises(redis.ResponseError) as caught:
        db.execute_command('EVAL_RO', '#!lua\nreturn 1', 0)
    assert str(caught.value) == 'Can not execute a script with write flag using *_ro command.'
    assert db.execute_command('EVAL_RO', "return redis.call('get', KEYS[1])", 1, 'nothing') is None


# ---- the sandbox ----


@pytest.mark.parametrize('script', [
    'x = 1', '_G.x = 1', 'string.x = 1', 'redis.call = nil', 'KEYS = 1', "rawset(_G, 'x', 1)", "table.insert(string, 'x')",
    'setmetatable(_G, {})', "getmetatable('').__index = {}", 'getmetatable(_G).__index = nil', 'table.sort(math)',
    'for k, v in pairs(_G) do if k == "string" then v.x = 1 end end',
])
def test_nothing_shared_can_be_changed(db, script):
    assert 'Attempt to modify a readonly table' in error_of(db, script)


@pytest.mark.parametrize('name', ['io', 'debug', 'require', 'dofile', 'loadfile', 'package', 'print', 'getfenv', 'setfenv',
                                  'newproxy', 'module'])
def test_what_reaches_outside_is_not_there(db, name):
    assert "Script attempted to access nonexistent global variable '%s'" % name in error_of(db, 'return ' + name)


def test_no_compiled_code(db):
    assert db.eval("return loadstring('return 7')()", 0) == 7
    assert db.eval("return {loadstring(string.dump(function() return 1 end))}", 0) == []
    assert db.eval("local code, done = string.dump(function() return 1 end) "
                   "return {load(function() if not done then done = true return code end end)}", 0) == []
    assert 'Error compiling script' in error_of(db, '\x1bLua')


def test_errors_of_every_kind(db):
    assert error_of(db, "error('foo')").startswith('user_script:1: foo script: ')
    assert error_of(db, 'error(nil)').startswith('nil script: ')
    assert error_of(db, 'error(true)').startswith('true script: ')
    assert error_of(db, 'error({})').startswith('unknown error script: ')
    assert error_of(db, "error({err='MINE it is'})").startswith('MINE it is script: ')
    assert error_of(db, 'local function f() return f() + 1 end return f()').startswith('user_script:1: stack overflow')
    assert error_of(db, 'return nothing').endswith(', on @user_script:1.')
    db.set('text', 'x')
    assert error_of(db, "\n\nredis.call('incr', 'text')") == (
        'value is not an integer or out of range script: 7d0a8ec1a5b8ccef5fe8d9a5ab1a5ae11be8a2a2, on @user_script:3.'
    ).replace('7d0a8ec1a5b8ccef5fe8d9a5ab1a5ae11be8a2a2', db.script_load("\n\nredis.call('incr', 'text')"))


def test_memory_is_limited(db):
    for script in ('local t = {} while true do t[#t + 1] = {1, 2, 3} end', "local s = 'x' while true do s = s .. s end",
                   'local t = {} for i = 1, 60 do t = {t, t} end return cjson.encode(t)'):
        assert 'not enough memory' in error_of(db, script)
    assert db.eval('return 1', 0) == 1


def test_random_numbers_repeat(db):
    script = 'math.randomseed(ARGV[1]) return {math.random() * 1000000, math.random(100), math.random(5, 10)}'
    assert db.eval(script, 0, 0) == db.eval(script, 0, 0) == [170828, 75, 5]


# ---- libraries ----


def test_cmsgpack(connect):
    db = connect(decode_responses=False)
    assert db.eval('local t = cmsgpack.unpack(ARGV[1]) return {t.a, t.b[2], cjson.encode(t.b)}', 0,
                   bytes.fromhex('82a16101a16293010203')) == [1, 2, b'[1,2,3]']
    packed = db.eval("return cmsgpack.pack(1, -1, 200, 70000, -40000, 1.5, 0.1, 'x', true, false, nil, {1, 2}, {a = 1}, {})", 0)
    assert packed == bytes.fromhex('01ffccc8ce00011170d2ffff63c0ca3fc00000cb3fb999999999999aa178c3c2c092010281a1610190')


def test_struct(connect):
    db = connect(decode_responses=False)
    assert db.eval("return struct.pack('>I2<i4sc3', 258, -2, 'ab', 'xyz')", 0) == b'\x01\x02\xfe\xff\xff\xffab\0xyz'
    assert db.eval("return {struct.unpack('>I2<i4sc3', ARGV[1])}", 0, b'\x01\x02\xfe\xff\xff\xffab\0xyz') == [
        258, -2, b'ab', b'xyz', 13]


def test_bit_and_json(db):
    assert db.eval("return {bit.band(12, 10), bit.bxor(12, 10), bit.tohex(255), cjson.encode({1, 'a', {b = cjson.null}}), "
                   "cjson.decode('[1,{\"x\":2}]')[2].x}", 0) == [8, 6, '000000ff', '[1,"a",{"b":null}]', 2]


# ---- atomic ----


def test_transfers_between_undeclared_accounts(connect):
    """Money moves between accounts that the script finds by itself; nobody ever sees a sum that is not whole."""
    db = connect()
    db.flushall()
    accounts = ['account:%d' % i for i in range(8)]
    db.mset(dict.fromkeys(accounts, 100))
    transfer = db.script_load(
        "local from, to = 'account:' .. ARGV[1], 'account:' .. ARGV[2] "
        "redis.call('decrby', from, ARGV[3]) redis.call('incrby', to, ARGV[3]) return redis.status_reply('OK')")
    sums, failed = set(), []

    def move(seed):
        client = connect()
        for i in range(150):
            client.evalsha(transfer, 0, (seed + i) % 8, (seed * 3 + i * 5 + 1) % 8, i % 7)

    def watch():
        client = connect()
        for _ in range(150):
            with client.pipeline() as pipeline:
                for account in accounts:
                    pipeline.get(account)
                sums.add(sum(map(int, pipeline.execute())))

    threads = [threading.Thread(target=move, args=(seed,)) for seed in range(3)] + [threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and sums == {800}


@pytest.mark.newer
def test_scripts_of_eval_are_forgotten_in_time(db):
    """Five hundred of EVAL are kept, and whatever SCRIPT LOAD brought."""
    db.script_flush()
    kept = db.script_load("return 'kept'")
    shas = []
    for i in range(501):
        db.eval('return %d' % i, 0)
        shas.append(db.eval("return redis.sha1hex('return %d')" % i, 0) if i in (0, 499) else None)
    for i in range(600):
        db.eval('return %d + 1' % i, 0)
    assert db.script_exists(kept, shas[0], shas[499]) == [True, False, False]
    assert db.info('stats')['evicted_scripts'] >= 600
    assert db.info('memory')['number_of_cached_scripts'] == 501
    db.script_flush()
    assert db.info('memory')['number_of_cached_scripts'] == 0


def test_a_script_that_begins_again_has_done_nothing(connect):
    """Scripts write a declared key first and an undeclared one then: whoever pops, or watches, sees each once."""
    db = connect()
    db.flushall()
    done, popped, failures = threading.Event(), [], []

    def push(name):
        client = connect()
        for i in range(120):
            # A new text each time: nobody knows yet that it uses other keys.
            client.eval("redis.call('rpush', KEYS[1], ARGV[1]) redis.call('incr', 'undeclared') return '%s %d'" % (name, i), 1,
                        'list:' + name, '%s %d' % (name, i))

    def pop():
        client = connect()
        while not done.is_set() or client.exists('list:a', 'list:b'):
            item = client.blpop(['list:a', 'list:b'], 0.1)
            if item:
                popped.append(item[1])

    threads = [threading.Thread(target=push, args=(name,)) for name in 'ab'] + [threading.Thread(target=pop)]
    for thread in threads:
        thread.start()
    threads[0].join()
    threads[1].join()
    done.set()
    threads[2].join()
    assert not failures
    assert sorted(popped) == sorted('%s %d' % (name, i) for name in 'ab' for i in range(120))
    assert [item for item in popped if item[0] == 'a'] == ['a %d' % i for i in range(120)]
    assert db.get('undeclared') == '240'


def test_sets_sorted_by_nothing_are_sorted_for_scripts(db):
    """What a script may store must not depend on how a set lies in memory."""
    db.delete('set')
    db.sadd('set', 'b', 'a', 'zz', 'aa', 'm')
    sort = "return redis.call('sort', KEYS[1], 'by', 'nothing', unpack(ARGV))"
    assert db.eval(sort, 1, 'set') == ['a', 'aa', 'b', 'm', 'zz']
    assert db.eval(sort, 1, 'set', 'desc', 'limit', 0, 2) == ['zz', 'm']
    assert db.eval(sort, 1, 'set', 'get', '#', 'limit', 1, 2) == ['aa', 'b']
    assert db.eval(sort.replace("'sort'", "'sort_ro'"), 1, 'set', 'limit', 0, 1) == ['a']
    db.delete('list')
    db.rpush('list', 'b', 'a')
    assert db.eval(sort, 1, 'list') == ['b', 'a']
