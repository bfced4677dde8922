/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_metric.c - the metrics of dos.h as a table, defaults and limits of the options. */
#include "dos.h"

#include "util.h"

#define MANY 1000000000u

/*
 * Defaults: above what the innocent peaks of tests/sim/sim-dos.c reach, below what an attack needs
 * to hurt. A guest's own sources are few; who routes for others raises that one.
 */
static const struct dos_metric_info metrics[DOS_METRICS] = {
	[DOS_PPS] = {"pps", "packets/s", "All packets.", MANY, {1000000, 1000000}, true, true},
	[DOS_BPS] = {"bps", "bit/s", "All bits on the wire.", 1000000000000, {0, 0}, true, true},
	[DOS_FLOWS] = {"flows", "flows/s", "New flows.", MANY, {5000, 5000}, true, true},
	[DOS_SYN] = {"syn", "packets/s", "TCP SYN.", MANY, {5000, 5000}, true, true},
	[DOS_SYN_RATIO] = {"syn-ratio",
			   "%",
			   "SYN for each 100 SYN-ACK that come back.",
			   1000000,
			   {300, 300},
			   false,
			   false},
	[DOS_HALF_OPEN] = {"half-open",
			   "connections",
			   "Connections begun and not completed.",
			   MANY,
			   {2000, 2000},
			   true,
			   true},
	[DOS_RST] = {"rst", "packets/s", "TCP RST that come back.", MANY, {2000, 2000}, true, true},
	[DOS_UNREACH] = {"unreach",
			 "packets/s",
			 "ICMP unreachable that come back.",
			 MANY,
			 {500, 500},
			 true,
			 true},
	[DOS_CLOSED] = {"closed",
			"packets/s",
			"UDP to closed ports, as ICMP port unreachable tells.",
			MANY,
			{300, 300},
			true,
			true},
	[DOS_FRAGMENTS] =
		{"fragments", "packets/s", "IP fragments.", MANY, {20000, 20000}, true, true},
	[DOS_SOURCES] = {"sources",
			 "addresses",
			 "Different source addresses in a second.",
			 MANY,
			 {8192, 256},
			 false,
			 true},
	[DOS_ENTROPY] = {"entropy",
			 "bit/100",
			 "Change of the source entropy of packets that nobody answered.",
			 800,
			 {200, 200},
			 false,
			 true},
	[DOS_UNANSWERED] = {"unanswered",
			    "packets/s",
			    "Packets between addresses where the other side never answers.",
			    MANY,
			    {10000, 20000},
			    true,
			    true},
	[DOS_SMALL] = {"small",
		       "packets/s",
		       "Small packets that no large ones of the other side explain.",
		       MANY,
		       {50000, 50000},
		       true,
		       true},
	[DOS_DROPS] = {"drops",
		       "packets/s",
		       "Packets for which the ring had no room.",
		       MANY,
		       {20000, 20000},
		       true,
		       true},
	[DOS_SPOOFED] = {"spoofed",
			 "packets/s",
			 "Packets whose source is not the guest's.",
			 MANY,
			 {0, 50},
			 true,
			 false},
};

const struct dos_metric_info *dos_metric_info(enum dos_metric metric)
{
	return &metrics[metric];
}

/* Those that do not grow with the number of guests. */
static bool is_relative(unsigned int metric)
{
	return metric == DOS_SYN_RATIO || metric == DOS_ENTROPY;
}

uint64_t dos_team_threshold(enum dos_metric metric, uint64_t threshold)
{
	return is_relative(metric) ? threshold : MIN(threshold * 4, metrics[metric].max);
}

void dos_options_default(struct dos_options *options, bool team)
{
	*options = (struct dos_options){.enable = true, .syn_min = 500, .entropy_min = 5000};
	dos_meter_defaults(&options->meter);
	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int m = 0; m < DOS_METRICS; m++)
			options->threshold[d][m] =
				team ? dos_team_threshold(m, metrics[m].defaults[d])
				     : metrics[m].defaults[d];
}

const char *dos_options_check(const struct dos_options *options)
{
	for (unsigned int d = 0; d < 2; d++)
		for (unsigned int m = 0; m < DOS_METRICS; m++)
			if (options->threshold[d][m] > metrics[m].max)
				return "a threshold is larger than its metric can be";
	if (options->syn_min < 1 || options->syn_min > MANY)
		return "syn_min is 1 to 1000000000";
	if (options->entropy_min < 50 || options->entropy_min > MANY)
		return "entropy_min is 50 to 1000000000";
	return dos_meter_check(&options->meter);
}
