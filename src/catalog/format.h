/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a value is of a format that a catalog asks for.
 *
 * Lock: none. Errors: none.
 */
#ifndef KN_CATALOG_FORMAT_H
#define KN_CATALOG_FORMAT_H

#include <stdbool.h>

#include "catalog/model.h"

bool format_accepts(enum value_format format, struct bytes value);

#endif
