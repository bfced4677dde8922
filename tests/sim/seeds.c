/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seeds.c - see seeds.h. */
#include "tests/sim/seeds.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"

unsigned int sim_setting(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? (unsigned int)strtoul(value, NULL, 10) : otherwise;
}

static void no_log(void *ctx, enum log_level level, const char *module, const char *line)
{
}

void sim_each_seed(unsigned int n, void (*run)(unsigned int seed))
{
	unsigned int first = sim_setting("SIM_SEED", 1);

	n = sim_setting("SIM_SEEDS", n);
	log_set_sink(no_log, NULL);
	for (unsigned int seed = first; seed < first + n; seed++) {
		printf("# seed=%u (repeat: SIM_SEED=%u SIM_SEEDS=1)\n", seed, seed);
		fflush(stdout);
		run(seed);
	}
}
