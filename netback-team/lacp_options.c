/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_options.c - see lacp_options.h. */
#include "lacp_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/keys.h"
#include "common/util.h"
#include "team.h"

const char *const lacp_rate_names[] = {"slow", "fast", NULL};
const char *const lacp_mux_mode_names[] = {"independent", "coupled", NULL};

/* An address in the notation of every other one. */
static int parse_id(const char *text, uint8_t id[6], char error[KEY_ERROR_MAX])
{
	static const struct key key = {.name = "lacp_system_id", .type = KEY_TYPE_MAC};
	static const struct key_table table = {"team", "", &key, 1, 6};

	return key_set(&table, id, key.name, text, error);
}

int lacp_options_check(const struct lacp_options *options, char *error, size_t error_size)
{
	char why[KEY_ERROR_MAX];
	uint8_t id[6];

	if (options->system_id[0] && parse_id(options->system_id, id, why) < 0) {
		snprintf(error, error_size, "%s; empty = the first member's", why);
		return -EINVAL;
	}
	if (options->max_links && options->min_links > options->max_links) {
		snprintf(error, error_size,
			 "lacp_min_links: %" PRIu64 ": allowed is at most lacp_max_links, %" PRIu64,
			 options->min_links, options->max_links);
		return -EINVAL;
	}
	return 0;
}

void lacp_options_config(const struct lacp_options *options, const uint8_t first[6],
			 uint64_t speed_bps, struct lacp_config *config)
{
	char why[KEY_ERROR_MAX];

	*config = (struct lacp_config){
		.mode = (enum lacp_mode)options->mode,
		.fast = options->rate == 1,
		.system_priority = (uint16_t)options->system_priority,
		.key = (uint16_t)options->key,
		.ad_select = (enum lacp_ad_select)options->ad_select,
		.fallback = (enum lacp_fallback)options->fallback,
		.coupled = options->mux == 1,
		.strict = options->strict,
		.max_ports = (unsigned int)options->max_links,
		.min_ports = (unsigned int)options->min_links,
		.default_mbps = (uint32_t)MIN(MAX(speed_bps / 1000000, 1), UINT32_MAX),
	};
	if (!options->system_id[0] || parse_id(options->system_id, config->system, why) < 0)
		memcpy(config->system, first, sizeof(config->system));
}

uint16_t lacp_options_port_priority(const struct lacp_options *options, uint8_t priority)
{
	const int64_t value =
		(int64_t)options->port_priority + TEAM_PRIORITY_DEFAULT - (int64_t)priority;

	return (uint16_t)MIN(MAX(value, 0), UINT16_MAX);
}
