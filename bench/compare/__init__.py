# SPDX-License-Identifier: BSD-3-Clause
"""Measures Keynome and its peers side by side; see bench/README.md."""
