# SPDX-License-Identifier: BSD-3-Clause
"""Scripts that run too long: everybody else is told, and can end them."""

import threading
from contextlib import ExitStack

import pytest
import redis

from conftest import until
from server import Server

BUSY = 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'


class Running:
    """A request that is on its way, in a thread of its own."""

    def __init__(self, function):
        self.reply = self.error = None
        self.thread = threading.Thread(target=self.run, args=(function,))
        self.thread.start()

    def run(self, function):
        try:
            self.reply = function()
        except redis.RedisError as error:
            self.error = str(error)

    def end(self):
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.error or self.reply


@pytest.fixture
def impatient(start):
    """connect(): clients of a server that finds 50 ms long."""
    server = start('--busy-reply-threshold', '50')
    clients = []

    def connect(**options):
        clients.append(redis.Redis(port=server.port, decode_responses=True, single_connection_client=True, **options))
        clients[-1].ping()
        return clients[-1]

    connect.server = server
    yield connect
    for client in clients:
        client.close()


def is_busy(client, key='k'):
    try:
        client.get(key)
    except redis.ResponseError as error:
        assert str(error).startswith('BUSY ') or 'BUSY' in str(error) or 'busy running' in str(error)
        return True
    except redis.exceptions.BusyLoadingError:
        return True
    return False


ENDLESS = ['while true do end', 'while true do pcall(function() while true do end end) end',
           'coroutine.wrap(function() while true do end end)()', "while true do redis.call('get', KEYS[1]) end",
           'local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x']


@pytest.mark.parametrize('script', ENDLESS)
def test_endless_scripts_are_ended(impatient, script):
    runner, other, late = impatient(), impatient(), impatient()
    running = Running(lambda: runner.eval(script, 1, 'k'))
    until(lambda: is_busy(other))
    # A connection that comes only now is served as well.
    fresh = redis.Redis(port=impatient.server.port, decode_responses=True)
    stats = fresh.execute_command('FUNCTION', 'STATS')
    assert stats[1][3][:2] == ['EVAL', script] and stats[1][5] >= 50
    with pytest.raises(redis.ResponseError) as caught:
        late.execute_command('FUNCTION', 'KILL')
    assert 'SCRIPT KILL' in str(caught.value)
    assert fresh.script_kill()
    assert running.end().startswith('Error running script: Script killed by user with SCRIPT KILL. script: ')
    assert runner.eval('return 1', 0) == 1 and other.get('k') is None
    with pytest.raises(redis.ResponseError) as caught:
        late.execute_command('SCRIPT', 'KILL')
    assert 'No scripts in execution right now.' in str(caught.value)
    fresh.close()


def test_a_script_that_wrote_ends_by_itself(impatient):
    runner, other = impatient(), impatient()
    running = Running(lambda: runner.eval("redis.call('set', KEYS[1], 1) while true do "
                                          "if redis.call('time')[1] - ARGV[1] >= 4 then return 'done' end end", 1, 'k',
                                          runner.time()[0]))
    until(lambda: is_busy(other))
    with pytest.raises(redis.ResponseError) as caught:
        other.execute_command('SCRIPT', 'KILL')
    assert str(caught.value).startswith('UNKILLABLE ') or 'already executed write commands' in str(caught.value)
    assert running.end() == 'done'
    assert other.get('k') == '1'


def test_shutdown_nosave_ends_everything(impatient):
    runner, other = impatient(), impatient()
    running = Running(lambda: runner.eval("redis.call('set', KEYS[1], 1) while true do pcall(error) end", 1, 'k'))
    until(lambda: is_busy(other))
    with pytest.raises(redis.ResponseError):
        other.execute_command('SHUTDOWN')
    with pytest.raises(redis.ConnectionError):
        other.execute_command('SHUTDOWN', 'NOSAVE')
    running.end()
    assert impatient.server.process.wait(20) == 0


def test_transactions_and_waiters(impatient):
    """EXEC is over when it is refused; who waits for a key of the script goes on waiting."""
    runner, writer, waiter, watcher = (impatient() for _ in range(4))
    waiting = Running(lambda: waiter.blpop('list', 30))
    short = impatient()
    timed = Running(lambda: short.blpop('list', 1))
    watcher.execute_command('WATCH', 'k')
    watcher.execute_command('MULTI')
    watcher.execute_command('SET', 'k', 'never')
    running = Running(lambda: runner.eval('while true do end', 2, 'k', 'list'))
    until(lambda: is_busy(writer))
    with pytest.raises(redis.exceptions.ExecAbortError):
        watcher.execute_command('EXEC')
    assert writer.script_kill()
    running.end()
    assert timed.end() is None
    assert writer.get('k') is None
    writer.rpush('list', 'x')
    assert waiting.end() == ('list', 'x')


def test_client_that_goes(impatient):
    """The client of an endless script closes its connection: the server bears it, and the script is ended by another."""
    other = impatient()
    runner = redis.Redis(port=impatient.server.port, socket_timeout=0.3)
    running = Running(lambda: runner.eval('while true do end', 1, 'k'))
    until(lambda: is_busy(other))
    running.thread.join()
    runner.connection_pool.disconnect()
    blocked = redis.Redis(port=impatient.server.port, socket_timeout=0.1)
    with pytest.raises(redis.RedisError):
        blocked.blpop('k', 5)
    blocked.connection_pool.disconnect()
    assert other.script_kill()
    until(lambda: not is_busy(other))
    until(lambda: len(other.client_list()) <= 2)


def test_functions(impatient):
    runner, other = impatient(), impatient()
    other.execute_command('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('loop', function() while true do end end)")
    running = Running(lambda: runner.execute_command('FCALL', 'loop', 1, 'k'))
    until(lambda: is_busy(other))
    with pytest.raises(redis.ResponseError) as caught:
        other.execute_command('SCRIPT', 'KILL')
    assert 'FUNCTION KILL' in str(caught.value)
    assert other.execute_command('FUNCTION', 'KILL') in ('OK', True)
    assert running.end().startswith('Error running script: Script killed by user with FUNCTION KILL. script: loop')


def test_library_that_does_not_end(impatient):
    with pytest.raises(redis.ResponseError) as caught:
        impatient().execute_command('FUNCTION', 'LOAD', '#!lua name=lib\nwhile true do end')
    assert 'FUNCTION LOAD timeout' in str(caught.value)


def test_who_needs_none_of_its_keys_is_served(impatient, start):
    """With several threads a script keeps nobody from keys that it does not declare, but for its own thread's clients."""
    others = [impatient() for _ in range(8)]
    others[0].mset({'k': 'v', 'elsewhere': 'w'})
    runner = impatient()
    running = Running(lambda: runner.eval("while true do redis.call('get', KEYS[1]) end", 1, 'k'))
    until(lambda: all(is_busy(client) for client in others))
    served = [client for client in others if not is_busy(client, 'elsewhere')]
    assert bool(served) == (start.threads > 1)
    for client in served:
        assert client.incr('counter') and client.eval("return redis.call('get', KEYS[1])", 1, 'elsewhere') == 'w'
        with pytest.raises(redis.ResponseError):
            client.mget('k', 'elsewhere')
        with pytest.raises(redis.ResponseError):
            client.keys('*')
    assert others[0].script_kill()
    running.end()
    assert others[0].get('elsewhere') == 'w'


def told_of(client):
    """FUNCTION STATS: what it says of the script that runs."""
    stats = client.execute_command('FUNCTION', 'STATS')
    running = stats[stats.index('running_script') + 1]
    return running and dict(zip(running[::2], running[1::2]))


@pytest.fixture
def neighbours():
    """connect(busy_ms): two clients, served by different threads of one server."""
    with ExitStack() as stack:

        def connect(busy_ms):
            server = stack.enter_context(Server(['--threads', '4', '--save', '', '--busy-reply-threshold', busy_ms]))
            clients = []
            for _ in range(2):  # threads get connections in turn
                client = redis.Redis(port=server.port, decode_responses=True, single_connection_client=True)
                clients.append(stack.enter_context(client))
                client.ping()
            return clients

        yield connect


def test_scripts_that_are_not_slow_yet_are_told_of_and_can_be_asked_to_end(neighbours):
    """With several threads somebody else sees a script before it is slow, and may ask for its end at once."""
    runner, other = neighbours(1500)
    runner.execute_command('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('loop', function() while true do end end)")
    running = Running(lambda: runner.execute_command('FCALL', 'loop', 1, 'k', 'word'))
    told = until(lambda: told_of(other))
    assert told['name'] == 'loop' and told['command'] == ['FCALL', 'loop', '1', 'k', 'word']
    assert told['duration_ms'] < 1500
    with pytest.raises(redis.ResponseError) as caught:
        other.execute_command('SCRIPT', 'KILL')  # it is a function, and none is slow
    assert 'No scripts in execution' in str(caught.value)
    assert other.execute_command('FUNCTION', 'KILL') in ('OK', True)
    assert told_of(other) is not None  # it has its time
    assert 'Script killed by user with FUNCTION KILL' in running.end()
    assert told_of(other) is None


def test_who_is_asked_to_end_and_ends_in_time_has_its_result(neighbours):
    runner, other = neighbours(60000)
    script = """local first = redis.call('time')[1]
    while redis.call('time')[1] - first < 3 do end return 'done'"""
    running = Running(lambda: runner.eval(script, 1, 'k'))
    until(lambda: told_of(other))
    assert other.script_kill()
    assert running.end() == 'done'
    assert runner.eval("for i = 1, 3000000 do end return 'next'", 0) == 'next'  # it was not meant


def test_who_has_written_when_it_becomes_slow_is_not_ended(neighbours):
    """What nobody may end once it is slow is not ended by a wish of before."""
    runner, other = neighbours(300)
    script = """for i = 1, 1000000 do end redis.call('set', KEYS[1], 'v')
    local now = redis.call('time')[1] + 0
    while redis.call('time')[1] - now < 3 do end return 'done'"""
    running = Running(lambda: runner.eval('#!lua\n' + script, 1, 'k'))
    until(lambda: told_of(other))
    try:
        other.script_kill()
    except redis.ResponseError as error:
        assert 'No scripts in execution' in str(error)  # it has written already
    assert running.end() == 'done'
