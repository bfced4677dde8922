/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_vif.c - commands about guest interfaces: vif list, vif show, explain vif. */
#include "xenbackctl.h"

#include <stdlib.h>

#include "common/util.h"

/* rx and tx as the guest sees them: what it receives, what it sends. */
static const char *const list_columns[] = {
	"vif",	      "domain",	    "name",    "team",	   "mac",
	"state",      "frontend",   "queues",  "rx_bytes", "tx_bytes",
	"rx_packets", "tx_packets", "dropped", "error",	   NULL,
};
static const char *const show_first[] = {
	"vif",	      "domain",	    "name",	"uuid",	  "team",     "mac",
	"addresses",  "state",	    "frontend", "queues", "rx_bytes", "tx_bytes",
	"rx_packets", "tx_packets", "dropped",	"error",  NULL,
};

/* How an interface is written. */
const struct device_kind cli_vif_kind = {
	"vif",	     "vif list",     NULL,
	"interface", "an interface", "DOM.DEV such as 3.0, or web.0 by the domain's name",
	false};

/* What is known of an address: " (10.0.0.5, VLAN 7)", or nothing. */
static char *known_of(const json_t *address)
{
	const json_t *vlans = json_object_get(address, "vlans");
	char *text = render_value("", json_object_get(address, "ipv4"));

	for (size_t i = 0; i < json_array_size(vlans); i++) {
		AUTO_FREE char *before = text;

		text = xb_asprintf("%s%sVLAN %" JSON_INTEGER_FORMAT, before, *before ? ", " : "",
				   json_integer_value(json_array_get(vlans, i)));
	}
	if (*text) {
		AUTO_FREE char *before = text;

		text = xb_asprintf(" (%s)", before);
	}
	return text;
}

char *vif_addresses(const json_t *vif)
{
	const json_t *all = json_object_get(vif, "addresses");
	char *text = xb_strdup("");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *address = json_array_get(all, i);
		const char *mac = json_string_value(json_object_get(address, "mac"));
		AUTO_FREE char *before = text;
		AUTO_FREE char *known = known_of(address);

		text = xb_asprintf("%s%s%s%s", before, *before ? ", " : "", mac ? mac : "", known);
	}
	return text;
}

/* In the daemon's answer, in place of the list. */
static void shorten_addresses(json_t *vif)
{
	AUTO_FREE char *text = vif_addresses(vif);

	if (json_object_get(vif, "addresses"))
		json_object_set_new(vif, "addresses", json_string(text));
}

int cmd_vif_list(struct cli *cli, int argc, char **argv)
{
	json_t *result = cli_call(cli, "vif list", NULL);

	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else if (!json_array_size(result)) {
		puts("no guest interfaces");
	} else {
		for (size_t i = 0; i < json_array_size(result); i++)
			device_shorten(&cli_vif_kind, json_array_get(result, i));
		render_rows(stdout, result, list_columns, true, 0);
	}
	json_decref(result);
	return CLI_OK;
}

int cmd_vif_show(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = device_parse(cli, &cli_vif_kind, argv[0], &status);
	json_t *result = args ? cli_call(cli, "vif show", args) : NULL;

	if (!result)
		return args ? CLI_FAILURE : status;
	if (cli->json) {
		cli_print_json(result);
	} else {
		if (json_object_get(result, "domid"))
			device_shorten(&cli_vif_kind, result);
		shorten_addresses(result);
		render_object(stdout, result, show_first, 0);
	}
	json_decref(result);
	return CLI_OK;
}

int cmd_explain_vif(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = device_parse(cli, &cli_vif_kind, argv[0], &status);
	json_t *result = args ? cli_call(cli, "explain vif", args) : NULL;

	if (!result)
		return args ? CLI_FAILURE : status;
	if (cli->json)
		cli_print_json(result);
	else
		device_print_explanation(result, argv[0]);
	json_decref(result);
	return CLI_OK;
}
