# SPDX-License-Identifier: GPL-2.0-or-later
# Lints: scripts that print TAP. The slow ones run in `./dev lint` and in CI only.
LINT_TESTS = \
	tests/lint/cppcheck.sh \
	tests/lint/format.sh \
	tests/lint/includes.sh \
	tests/lint/keys.sh \
	tests/lint/map.sh \
	tests/lint/shellcheck.sh \
	tests/lint/sizes.sh \
	tests/lint/spdx.sh \
	tests/lint/symbols.sh \
	tests/lint/units.sh
LINT_SLOW_TESTS = tests/lint/tidy.sh

TESTS += $(LINT_TESTS)
EXTRA_DIST += $(LINT_TESTS) $(LINT_SLOW_TESTS) tests/lint/lib.sh
CLEAN_FOLDERS += tests/lint/cppcheck tests/lint/cppcheck.include
