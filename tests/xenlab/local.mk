# SPDX-License-Identifier: GPL-2.0-or-later
# The lab is run by tests/xenlab/run (./dev check-xen), not by make check: it boots a machine.
# Whole folders, so that a new scenario cannot be forgotten in the tarball.
EXTRA_DIST += tests/xenlab/README.md tests/xenlab/run tests/xenlab/lib.sh tests/xenlab/.shellcheckrc \
	tests/xenlab/packages tests/xenlab/dom0-packages tests/xenlab/dom0-packages-perf \
	tests/xenlab/bench tests/xenlab/dom0 tests/xenlab/domu tests/xenlab/host tests/xenlab/lib \
	tests/xenlab/scenarios
