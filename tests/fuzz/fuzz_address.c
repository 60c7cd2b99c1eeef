/* SPDX-License-Identifier: BSD-3-Clause */
/* URLs of any content: what is taken can be shown, and what is shown is the same place. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "cli/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct address address, again;
    char shown[ADDRESS_SHOWN_MAX];
    const char *error;
    if (!address_parse(bytes_make(data, size), &address, &error)) {
        kn_require(error && *error);
        return 0;
    }
    address_show(&address, shown);
    /* A socket's path may hold what a URL would encode. */
    if (address.kind == ADDRESS_UNIX && strpbrk(address.host, "%?@")) return 0;
    kn_require(address_parse(bytes_from_string(shown), &again, &error));
    kn_require(again.kind == address.kind && again.database == address.database &&
               strcmp(again.host, address.host) == 0);
    kn_require(address.kind == ADDRESS_UNIX || again.port == address.port);
    return 0;
}
