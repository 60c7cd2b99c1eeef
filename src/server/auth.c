/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/auth.h"

#include <stdatomic.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/memory.h"
#include "server/stats.h"

struct auth {
    _Atomic bool required;
    struct lock lock; /* guards the password */
    char *password;
    size_t len;
};

struct auth *auth_new(void) {
    return mem_zalloc(sizeof(struct auth));
}

void auth_free(struct auth *auth) {
    mem_free(auth->password);
    mem_free(auth);
}

void auth_set_password(struct auth *auth, struct bytes password) {
    char *copy = mem_alloc(password.len + 1);
    if (password.len) memcpy(copy, password.data, password.len);
    lock_take(&auth->lock);
    char *old = auth->password;
    auth->password = copy;
    auth->len = password.len;
    atomic_store(&auth->required, password.len > 0);
    lock_give(&auth->lock);
    mem_free(old);
}

bool auth_is_required(struct auth *auth) {
    return atomic_load_explicit(&auth->required, memory_order_relaxed);
}

bool auth_check(struct auth *auth, struct bytes user, struct bytes password) {
    if (!bytes_equal(user, BYTES("default"))) {
        stats_count(STAT_AUTH_DENIED);
        return false;
    }
    lock_take(&auth->lock);
    /* Every byte given is compared with something, so that time tells
     * nothing of how many were right. */
    uint8_t differs = password.len != auth->len;
    for (size_t i = 0; i < password.len && auth->len > 0; i++)
        differs |= (uint8_t)(password.data[i] ^ auth->password[i % auth->len]);
    bool right = auth->len == 0 || differs == 0;
    lock_give(&auth->lock);
    if (!right) stats_count(STAT_AUTH_DENIED);
    return right;
}
