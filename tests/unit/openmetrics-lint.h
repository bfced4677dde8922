/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openmetrics-lint.h - a reader of OpenMetrics 1.0 text that forgives nothing, written from the
 * specification and not from our printer.
 */
#ifndef XB_TESTS_OPENMETRICS_LINT_H
#define XB_TESTS_OPENMETRICS_LINT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Is the text valid? Else error names line and rule. Checked: UTF-8 of no more than ASCII as we
 * write it, one "# EOF" at the very end, no empty lines; metadata before samples, each kind once a
 * family, TYPE known, UNIT a suffix of the name, escapes of HELP and label values; families not
 * interleaved; names of families, samples (by their type's suffix) and labels; labels of a sample
 * unique; samples unique; values numbers, of counters not negative, of info 1.
 */
bool openmetrics_lint(const char *text, char *error, size_t error_size);

#endif
