# SPDX-License-Identifier: BSD-3-Clause
"""Publish and subscribe through redis-py."""

import pytest
import redis

from conftest import until


@pytest.fixture
def listener(connect):
    pubsub = connect().pubsub()
    yield pubsub
    pubsub.close()


def receive(pubsub, count):
    """The next count messages, confirmations included, as (type, channel, data)."""
    messages = []
    while len(messages) < count:
        message = pubsub.get_message(timeout=10)
        assert message is not None, messages
        messages.append((message['type'], message['channel'], message['data']))
    return messages


def test_channels(db, listener):
    listener.subscribe('ocr:notifications', 'ocr:notifications:user:1')
    assert receive(listener, 2) == [('subscribe', 'ocr:notifications', 1),
                                    ('subscribe', 'ocr:notifications:user:1', 2)]
    assert db.publish('ocr:notifications', 'all') == 1
    assert db.publish('ocr:notifications:user:2', 'other') == 0
    assert db.publish('ocr:notifications:user:1', 'you') == 1
    assert receive(listener, 2) == [('message', 'ocr:notifications', 'all'),
                                    ('message', 'ocr:notifications:user:1', 'you')]
    listener.unsubscribe()
    assert {m[0] for m in receive(listener, 2)} == {'unsubscribe'}
    assert db.publish('ocr:notifications', 'gone') == 0


@pytest.mark.parametrize('pattern, channel, hears', [
    ('ocr:*', 'ocr:x:y', True), ('ocr:?', 'ocr:x', True), ('ocr:?', 'ocr:', False),
    ('ocr:[ab]', 'ocr:b', True), ('ocr:[^ab]', 'ocr:b', False), ('ocr:[a-c]x', 'ocr:bx', True),
    ('ocr:\\*', 'ocr:*', True), ('ocr:\\*', 'ocr:x', False), ('*', '', False),
])
def test_patterns(db, listener, pattern, channel, hears):
    listener.psubscribe(pattern)
    receive(listener, 1)
    assert db.publish(channel, 'm') == int(hears)
    if hears:
        assert receive(listener, 1) == [('pmessage', channel, 'm')]


def test_handlers_and_thread(db, listener):
    heard = []
    listener.subscribe(**{'jobs': lambda message: heard.append(message['data'])})
    thread = listener.run_in_thread(sleep_time=0.01)
    try:
        until(lambda: db.publish('jobs', 'x'), 'the subscription')
        until(lambda: heard, 'the message')
    finally:
        thread.stop()
        thread.join()


def test_health_check_while_listening(server):
    client = redis.Redis(port=server.port, health_check_interval=0.01)
    pubsub = client.pubsub()
    pubsub.subscribe('x')
    until(lambda: pubsub.get_message(timeout=1), 'the confirmation')
    for _ in range(3):
        pubsub.check_health()
        assert pubsub.get_message(timeout=0.05) is None
    client.publish('x', 'still')
    assert until(lambda: pubsub.get_message(timeout=1), 'the message')['data'] == b'still'
    pubsub.close()
    client.close()


def test_who_listens(db, listener):
    listener.subscribe('c1', 'c2')
    listener.psubscribe('p*')
    receive(listener, 3)
    assert sorted(db.pubsub_channels('c*')) == ['c1', 'c2']
    assert db.pubsub_numsub('c1', 'none') == [('c1', 1), ('none', 0)]
    assert db.pubsub_numpat() == 1
    listener.close()
    until(lambda: db.pubsub_channels('c*') == [], 'the subscriber to be gone')


def test_a_transaction_publishes(db, listener):
    listener.subscribe('c')
    receive(listener, 1)
    assert db.pipeline(transaction=True).publish('c', '1').publish('c', '2').execute() == [1, 1]
    assert [m[2] for m in receive(listener, 2)] == ['1', '2']
