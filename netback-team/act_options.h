/* SPDX-License-Identifier: GPL-2.0-or-later */
/* act_options.h - address blocks in CIDR notation (RFC 4632, RFC 4291 2.3), of the whitelist of
 * act.[ch]. Pure. */
#ifndef XB_NET_ACT_OPTIONS_H
#define XB_NET_ACT_OPTIONS_H

#include "act.h"

struct act_cidr {
	struct dos_addr addr;
	unsigned int bits; /**< of addr that count: 0 to 128; IPv4 as 96 to 128 */
};

/**
 * Reads "10.0.0.0/8 2001:db8::/32 192.0.2.7", blanks or commas between them. Returns how many;
 * -EINVAL with error naming the wrong one, or more than ACT_CIDRS_MAX.
 */
int act_cidrs_parse(const char *text, struct act_cidr cidrs[ACT_CIDRS_MAX],
		    char error[ACT_ERROR_MAX]);
bool act_cidrs_have(const struct act_cidr *cidrs, unsigned int n, const struct dos_addr *addr);

#endif
