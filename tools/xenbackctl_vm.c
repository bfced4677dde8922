/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_vm.c - the command vm show: the interfaces of all VMs in one table, with what is set
 * for them, their rates and what they lost. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "xenbackctl_sample.h"

#define INTERVAL_USEC 500000u

static const char *const columns[] = {
	"vm",	  "vif",	   "state", "team", "nic",    "shares",	   "rx_bps",
	"tx_bps", "waiting_bytes", "lost",  "why",  "policy", "addresses", NULL};

/* "tx-spoofed 12, rx-full 3"; "rate 1Gbit" */
static char *join(const json_t *object)
{
	char *text = xb_strdup("");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		AUTO_FREE char *one = render_value("", value);
		AUTO_FREE char *before = text;

		text = xb_asprintf("%s%s%s %s", before, *before ? ", " : "", name, one);
	}
	return text;
}

static const struct top_vm *find(const struct top_sample *sample, const char *vif)
{
	for (size_t i = 0; i < sample->n_vms; i++)
		if (!strcmp(sample->vms[i].vif, vif))
			return &sample->vms[i];
	return NULL;
}

static uint64_t bps(uint64_t now, uint64_t before, uint64_t ns)
{
	return now > before && ns ? (uint64_t)((double)(now - before) * 8e9 / (double)ns) : 0;
}

/* A row of the answer to "vif list", and what the two samples say of it. */
static json_t *row_of(const json_t *vif, const struct sample *now, const struct sample *before)
{
	const char *name = json_string_value(json_object_get(vif, "name"));
	const struct top_vm *vm = find(&now->top, name ? name : "");
	const struct top_vm *old = find(&before->top, name ? name : "");
	const uint64_t ns = now->top.time_ns - before->top.time_ns;
	AUTO_FREE char *policy = join(json_object_get(vif, "policy"));
	AUTO_FREE char *drops = join(json_object_get(vif, "drops"));
	json_t *row =
		json_pack("{s:O?, s:s, s:O?, s:O?, s:s, s:O?, s:s}", "vm",
			  json_object_get(vif, "domain"), "vif", name ? name : "", "state",
			  json_object_get(vif, "state"), "team", json_object_get(vif, "team"),
			  "policy", policy, "lost", json_object_get(vif, "dropped"), "why", drops);

	if (!row || !vm || !old)
		return row;
	json_object_set_new(row, "nic", json_string(vm->member));
	json_object_set_new(row, "shares", json_integer((json_int_t)vm->shares));
	json_object_set_new(row, "waiting_bytes", json_integer((json_int_t)vm->waiting_bytes));
	json_object_set_new(
		row, "rx_bps",
		json_integer((json_int_t)bps(vm->counters.rx_bytes, old->counters.rx_bytes, ns)));
	json_object_set_new(
		row, "tx_bps",
		json_integer((json_int_t)bps(vm->counters.tx_bytes, old->counters.tx_bytes, ns)));
	return row;
}

static void show(const struct cli *cli, const json_t *vifs, const struct sample *now,
		 const struct sample *before)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(vifs); i++) {
		const json_t *vif = json_array_get(vifs, i);
		json_t *row = row_of(vif, now, before);
		AUTO_FREE char *addresses = vif_addresses(vif);

		if (cli->json)
			json_object_set(row, "addresses", json_object_get(vif, "addresses"));
		else
			json_object_set_new(row, "addresses", json_string(addresses));
		json_array_append_new(rows, row);
	}
	if (cli->json)
		cli_print_json(rows);
	else if (!json_array_size(rows))
		puts("no VM has an interface here");
	else
		render_rows(stdout, rows, columns, true, 0);
	json_decref(rows);
}

int cmd_vm_show(struct cli *cli, int argc, char **argv)
{
	struct sample before = {0}, now = {0};
	char error[CTL_ERROR_MAX];
	json_t *vifs = NULL;
	bool fine = sample_take(&before, cli, NULL, NULL, error);

	if (fine) {
		usleep(INTERVAL_USEC);
		fine = sample_take(&now, cli, NULL, &before, error);
	}
	if (fine) {
		vifs = cli_ask(cli, cli->command->daemon, "vif list",
			       json_pack("{s:b}", "addresses", 1), error);
		fine = vifs != NULL;
	}
	if (fine)
		show(cli, vifs, &now, &before);
	sample_free(&before);
	sample_free(&now);
	json_decref(vifs);
	return fine ? CLI_OK : cli_error("%s", error);
}
