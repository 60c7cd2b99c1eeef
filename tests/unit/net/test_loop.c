/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop: descriptors, timers and watches that go while their events are
 * due; mail between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/chain.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/loop.h"
#include "net/mailbox.h"

enum { PEERS = 20, TIMERS = 200, SENDERS = 4, LETTERS = 20000 };

struct peer {
    struct loop_watch watch;
    struct loop *loop;
    struct peer **all;
    int other; /* our end of the pair */
    unsigned reads, writes, closed;
    bool remove_others;
};

static struct peer *peer_new(struct loop *loop, unsigned events) {
    struct peer *peer = calloc(1, sizeof *peer);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer->loop = loop;
    peer->other = pair[0];
    peer->watch.fd = pair[1];
    peer->watch.events = events;
    return peer;
}

static void peer_free(struct peer *peer) {
    loop_remove(peer->loop, &peer->watch);
    close(peer->watch.fd);
    if (peer->other >= 0) close(peer->other);
    free(peer);
}

static void count_ready(struct loop_watch *watch, unsigned events) {
    struct peer *peer = CONTAINER_OF(watch, struct peer, watch);
    char byte;
    if (events & LOOP_READ) {
        peer->reads++;
        (void)!read(watch->fd, &byte, 1);
    }
    if (events & LOOP_WRITE) peer->writes++;
    if (events & LOOP_CLOSED) peer->closed++;
}

static void test_readiness(void **state) {
    struct loop *loop = loop_new();
    struct peer *peer = peer_new(loop, LOOP_READ);
    (void)state;
    peer->watch.ready = count_ready;
    assert_int_equal(loop_add(loop, &peer->watch), 0);
    loop_run_once(loop, 0);
    assert_int_equal(peer->reads + peer->writes + peer->closed, 0);
    assert_int_equal(write(peer->other, "ab", 2), 2);
    loop_run_once(loop, -1);
    loop_run_once(loop, -1); /* what is left is reported again */
    loop_run_once(loop, 0);
    assert_int_equal(peer->reads, 2);
    assert_int_equal(loop_modify(loop, &peer->watch, LOOP_READ | LOOP_WRITE), 0);
    loop_run_once(loop, -1);
    assert_int_equal(peer->writes, 1);
    assert_int_equal(loop_modify(loop, &peer->watch, 0), 0);
    loop_run_once(loop, 0);
    assert_int_equal(peer->writes, 1);
    close(peer->other);
    peer->other = -1;
    loop_run_once(loop, -1); /* the end is told unasked */
    assert_int_equal(peer->closed, 1);
    peer_free(peer);
    loop_free(loop);
}

/* All are ready in one round; each that is called frees a random half of the others, and itself. */
static void free_others(struct loop_watch *watch, unsigned events) {
    struct peer *self = CONTAINER_OF(watch, struct peer, watch), **all = self->all;
    (void)events;
    for (int i = 0; i < PEERS; i++) {
        if (all[i] && all[i] != self && random_below(2)) {
            peer_free(all[i]);
            all[i] = NULL;
        }
    }
    for (int i = 0; i < PEERS; i++) {
        if (all[i] == self) all[i] = NULL;
    }
    peer_free(self);
}

static void test_removal(void **state) {
    struct loop *loop = loop_new();
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct peer *all[PEERS];
        for (int i = 0; i < PEERS; i++) {
            all[i] = peer_new(loop, LOOP_WRITE);
            all[i]->all = all;
            all[i]->watch.ready = free_others;
            assert_int_equal(loop_add(loop, &all[i]->watch), 0);
        }
        loop_run_once(loop, -1);
        for (int i = 0; i < PEERS; i++) assert_null(all[i]);
    }
    loop_free(loop);
}

struct alarm {
    struct loop_timer timer;
    unsigned fired;
};

static int64_t last_fired_us;

static void alarm_fired(struct loop_timer *timer) {
    struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
    assert_false(loop_timer_is_set(timer));
    assert_true(timer->at_us >= last_fired_us);
    last_fired_us = timer->at_us;
    alarm->fired++;
}

/* Timers set, moved and cancelled at random fire once each, in order, and not before their time. */
static void test_timers(void **state) {
    struct loop *loop = loop_new();
    static struct alarm alarms[TIMERS];
    unsigned expected[TIMERS] = {0};
    int64_t start = clock_mono_us();
    (void)state;
    for (int i = 0; i < TIMERS; i++) alarms[i].timer.fire = alarm_fired;
    for (int i = 0; i < 20 * TIMERS; i++) {
        size_t at = random_below(TIMERS);
        if (random_below(3) == 0) {
            loop_timer_cancel(loop, &alarms[at].timer);
            expected[at] = 0;
        } else {
            loop_timer_set(loop, &alarms[at].timer, start + (int64_t)random_below(50000));
            expected[at] = 1;
        }
        assert_int_equal(loop_timer_is_set(&alarms[at].timer), expected[at]);
    }
    unsigned due = 0, fired = 0;
    for (int i = 0; i < TIMERS; i++) due += expected[i];
    while (fired < due) {
        loop_run_once(loop, -1);
        fired = 0;
        for (int i = 0; i < TIMERS; i++) fired += alarms[i].fired;
        for (int i = 0; i < TIMERS; i++) {
            if (alarms[i].fired) assert_true(alarms[i].timer.at_us <= loop_now_us(loop));
        }
    }
    for (int i = 0; i < TIMERS; i++) assert_int_equal(alarms[i].fired, expected[i]);
    loop_free(loop);
}

static void fire_again(struct loop_timer *timer) {
    struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
    alarm->fired++;
}

static bool set_for_now(void *context) {
    void **both = context;
    struct alarm *alarm = both[1];
    loop_timer_set(both[0], &alarm->timer, 0);
    return false;
}

/* before_sleep runs before each wait, and what it sets for now is done without waiting. */
static void test_before_sleep(void **state) {
    struct loop *loop = loop_new();
    struct alarm alarm = {.timer.fire = fire_again};
    void *both[2] = {loop, &alarm};
    (void)state;
    loop_set_before_sleep(loop, set_for_now, both);
    for (int i = 0; i < 5; i++) loop_run_once(loop, -1);
    assert_int_equal(alarm.fired, 5);
    loop_timer_cancel(loop, &alarm.timer);
    loop_free(loop);
}

static void fire_slowly(struct loop_timer *timer) {
    (void)timer;
    usleep(30000);
}

/* Waiting is no work; what a round did is told when the next one has begun to wait. */
static void test_worked(void **state) {
    struct loop *loop = loop_new();
    struct loop_timer slow = {.fire = fire_slowly}, later = {.fire = fire_slowly};
    (void)state;
    loop_run_once(loop, 0);
    loop_timer_set(loop, &later, clock_mono_us() + 3600 * 1000000LL);
    loop_run_once(loop, 50000);
    loop_take_worked_us(loop);
    loop_run_once(loop, 400000);
    int64_t waited_us = loop_take_worked_us(loop);
    assert_in_range(waited_us, 0, 300000);
    loop_timer_set(loop, &slow, clock_mono_us());
    loop_run_once(loop, -1);
    loop_run_once(loop, 0); /* does not ask for the time, and loses none */
    loop_run_once(loop, 1000);
    assert_true(loop_take_worked_us(loop) >= 30000);
    assert_int_equal(loop_take_worked_us(loop), 0);
    loop_timer_cancel(loop, &later);
    loop_free(loop);
}

struct letter {
    struct mail mail;
    struct loop *loop;
    int sender, number;
};

static int received[SENDERS], received_in_all;

static void read_letter(struct mail *mail) {
    struct letter *letter = CONTAINER_OF(mail, struct letter, mail);
    assert_int_equal(letter->number, received[letter->sender]++);
    if (++received_in_all == SENDERS * LETTERS) loop_stop(letter->loop);
    free(letter);
}

struct sender {
    pthread_t thread;
    struct loop *loop;
    int number;
};

static void *send_letters(void *context) {
    struct sender *sender = context;
    for (int i = 0; i < LETTERS; i++) {
        struct letter *letter = malloc(sizeof *letter);
        *letter = (struct letter){.mail.deliver = read_letter,
                                  .loop = sender->loop,
                                  .sender = sender->number,
                                  .number = i};
        mailbox_send(loop_mailbox(sender->loop), &letter->mail);
        if (random_below(500) == 0) usleep(200); /* so that the receiver falls asleep */
    }
    return NULL;
}

static void test_mail(void **state) {
    struct loop *loop = loop_new();
    struct sender senders[SENDERS];
    (void)state;
    for (int i = 0; i < SENDERS; i++) {
        senders[i].loop = loop;
        senders[i].number = i;
        pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]);
    }
    loop_run(loop); /* a wake-up that got lost would leave it here for ever */
    for (int i = 0; i < SENDERS; i++) pthread_join(senders[i].thread, NULL);
    for (int i = 0; i < SENDERS; i++) assert_int_equal(received[i], LETTERS);
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readiness), cmocka_unit_test(test_removal),
        cmocka_unit_test(test_timers),    cmocka_unit_test(test_before_sleep),
        cmocka_unit_test(test_worked),    cmocka_unit_test(test_mail)};
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
