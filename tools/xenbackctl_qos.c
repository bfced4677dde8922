/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_qos.c - the command about bandwidth: qos show. */
#include "xenbackctl.h"

#include <stdlib.h>

#include "common/util.h"

static const char *const columns[] = {"vif",
				      "name",
				      "team",
				      "direction",
				      "shares",
				      "entitled_percent",
				      "used_percent",
				      "used_bps",
				      "min_met_percent",
				      "sent_packets",
				      "queued_packets",
				      "discarded_packets",
				      "lag",
				      "queue_bytes",
				      "delay_p50_us",
				      "delay_p99_us",
				      "waits_for",
				      "note",
				      NULL};

static const struct device_kind vif_kind = {"vif",	    "vif list", NULL, "interface",
					    "an interface", "DOM.DEV",	false};

/* Why frames waited or were lost, and what else there is to know. */
static char *note(const json_t *row)
{
	char *text = xb_strdup(json_is_true(json_object_get(row, "pinned_share_limited"))
				       ? "pinned share limited"
				       : "");
	json_t *reasons = json_object_get(row, "reasons"), *count;
	const char *reason;

	json_object_foreach(reasons, reason, count)
	{
		AUTO_FREE char *value = render_value("", count);
		char *longer = xb_asprintf("%s%s%s %s", text, *text ? ", " : "", reason, value);

		free(text);
		text = longer;
	}
	return text;
}

int cmd_qos_show(struct cli *cli, int argc, char **argv)
{
	json_t *result = cli_call(cli, "qos show", NULL), *row;
	size_t i;

	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else if (!json_array_size(result)) {
		puts("no connected guest interfaces");
	} else {
		json_array_foreach(result, i, row)
		{
			AUTO_FREE char *text = note(row);

			device_shorten(&vif_kind, row);
			json_object_set_new(row, "note", json_string(text));
		}
		render_rows(stdout, result, columns, true, 0);
	}
	json_decref(result);
	return CLI_OK;
}
