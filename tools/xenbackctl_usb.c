/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_usb.c - commands about guests' USB controllers: usb list, show, explain, attach,
 * detach. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static const char *const controller_columns[] = {
	"vusb",	 "domain", "state",	     "frontend",	  "version",
	"ports", "urbs",   "host_transfers", "urbs_per_transfer", NULL,
};
static const char *const port_columns[] = {"vusb",  "port",   "device", "id", "product",
					   "state", "source", "error",	NULL};
static const char *const device_columns[] = {"device", "id",	   "product", "serial",
					     "speed",  "reserved", "used_by", NULL};
static const char *const show_first[] = {
	"vusb",	    "domain",	  "name", "uuid",	    "state",
	"frontend", "version",	  "urbs", "host_transfers", "urbs_per_transfer",
	"requests", "ring_slots", NULL,
};
static const char *const show_port_first[] = {"device", "id",	 "product", "state",
					      "source", "speed", "address", "configuration",
					      "quirks", "why",	 NULL};
static const char *const pipe_columns[] = {
	"endpoint",	     "type",   "max_packet",  "state",	 "urbs",    "transfers",
	"urbs_per_transfer", "merged", "moved_bytes", "to_idle", "to_wait", "to_data",
	"to_failure",	     NULL,
};

/* How a controller is written: most guests have one. */
static const struct device_kind vusb_kind = {
	"vusb",
	"usb list",
	"controllers",
	"controller",
	"a USB controller",
	"DOM or DOM.DEV such as 3 or 3.0, or web by the domain's name",
	true};

/* How many requests of the guest one transfer of the host carried, to a tenth. */
static void add_ratio(json_t *object, const char *transfers)
{
	double urbs = json_number_value(json_object_get(object, "urbs"));
	double n = json_number_value(json_object_get(object, transfers));

	if (n > 0)
		json_object_set_new(object, "urbs_per_transfer",
				    json_real((double)(uint64_t)(urbs / n * 10 + 0.5) / 10));
}

/* --- list --- */

static bool is_used(const json_t *port)
{
	const char *state = json_string_value(json_object_get(port, "state"));

	return (state && strcmp(state, "free")) || json_object_get(port, "error");
}

/* Takes the ports of a controller that have something to say, and counts all of them. */
static void take_ports(json_t *controller, json_t *rows)
{
	json_t *ports = json_incref(json_object_get(controller, "ports")), *port;
	size_t i;

	json_array_foreach(ports, i, port)
	{
		if (!is_used(port))
			continue;
		json_object_set(port, "vusb", json_object_get(controller, "vusb"));
		json_array_append(rows, port);
	}
	json_object_set_new(controller, "ports", json_integer((json_int_t)json_array_size(ports)));
	json_decref(ports);
}

static void print_rows(const char *heading, const json_t *rows, const char *const *columns,
		       int indent)
{
	if (!json_array_size(rows))
		return;
	printf("%*s%s:\n", indent, "", heading);
	render_rows(stdout, rows, columns, true, indent + 2);
}

static void print_list(json_t *result)
{
	json_t *controllers = json_object_get(result, "controllers");
	json_t *devices = json_object_get(result, "devices"), *ports = json_array();
	size_t i;
	json_t *controller;

	json_array_foreach(controllers, i, controller)
	{
		device_shorten(&vusb_kind, controller);
		add_ratio(controller, "host_transfers");
		take_ports(controller, ports);
	}
	if (!json_array_size(controllers))
		puts("no guest has a USB controller; `xl usbctrl-attach DOM type=pv version=2 "
		     "ports=8` makes one");
	print_rows("controllers", controllers, controller_columns, 0);
	print_rows("ports in use", ports, port_columns, 0);
	print_rows("devices of this host", devices, device_columns, 0);
	if (!json_array_size(devices))
		puts("no USB devices on this host");
	json_decref(ports);
}

int cmd_usb_list(struct cli *cli, int argc, char **argv)
{
	json_t *result = cli_call(cli, "usb list", NULL);

	if (!result)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(result);
	else
		print_list(result);
	json_decref(result);
	return CLI_OK;
}

/* --- show --- */

/* {"IDLE": 3, ...} as columns of the pipe's row; and the unit that its name does not say. */
static void spread_transitions(json_t *pipe)
{
	json_t *transitions = json_incref(json_object_get(pipe, "transitions")), *value;
	const char *name;

	json_object_del(pipe, "transitions");
	json_object_set(pipe, "moved_bytes", json_object_get(pipe, "bytes"));
	json_object_foreach(transitions, name, value)
	{
		AUTO_FREE char *column = xb_asprintf("to_%s", name);

		for (char *c = column; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		json_object_set(pipe, column, value);
	}
	json_decref(transitions);
}

static void print_port(json_t *port)
{
	json_t *pipes = json_incref(json_object_get(port, "pipes")), *pipe;
	size_t i;

	printf("port %" JSON_INTEGER_FORMAT ":\n",
	       json_integer_value(json_object_get(port, "port")));
	json_object_del(port, "port");
	json_object_del(port, "pipes");
	json_object_del(port, "wanted");
	if (!json_is_true(json_object_get(port, "preparing")))
		json_object_del(port, "preparing");
	json_array_foreach(pipes, i, pipe)
	{
		add_ratio(pipe, "transfers");
		spread_transitions(pipe);
	}
	render_object(stdout, port, show_port_first, 2);
	print_rows("pipes", pipes, pipe_columns, 2);
	json_decref(pipes);
}

static void print_controller(json_t *result)
{
	json_t *ports = json_incref(json_object_get(result, "ports")), *port;
	json_t *counters = json_incref(json_object_get(result, "counters"));
	size_t i, n_free = 0;

	json_object_del(result, "ports");
	json_object_del(result, "counters");
	json_object_del(result, "xenbus");
	if (json_object_get(result, "domid"))
		device_shorten(&vusb_kind, result);
	add_ratio(result, "host_transfers");
	render_object(stdout, result, show_first, 0);
	json_array_foreach(ports, i, port)
	{
		if (is_used(port))
			print_port(port);
		else
			n_free++;
	}
	printf("free ports: %zu\n", n_free);
	if (json_object_size(counters)) {
		puts("counters:");
		render_object(stdout, counters, NULL, 2);
	}
	json_decref(counters);
	json_decref(ports);
}

int cmd_usb_show(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = device_parse(cli, &vusb_kind, argv[0], &status);
	json_t *result = args ? cli_call(cli, "usb show", args) : NULL;

	if (!result)
		return args ? CLI_FAILURE : status;
	if (cli->json)
		cli_print_json(result);
	else
		print_controller(result);
	json_decref(result);
	return CLI_OK;
}

/* --- explain, attach, detach --- */

/* 1 to 31; 0 = it is no port number. */
static int port_number(const char *text)
{
	size_t n = strlen(text);
	int number;

	if (!n || n > 2 || strspn(text, "0123456789") != n || *text == '0')
		return 0;
	number = atoi(text);
	return number <= 31 ? number : 0;
}

/* Adds the argument as "port"; CLI_OK, or CLI_USAGE after a message. */
static int add_port(struct cli *cli, json_t *args, const char *text)
{
	int number = port_number(text);

	if (!number)
		return cli_usage(cli, "\"%s\" is no port; allowed: a number from 1 to 31", text);
	json_object_set_new(args, "port", json_integer(number));
	return CLI_OK;
}

int cmd_usb_explain(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = device_parse(cli, &vusb_kind, argv[0], &status), *result;

	if (args && argc > 1)
		status = add_port(cli, args, argv[1]);
	else if (args)
		status = CLI_OK;
	if (status) {
		json_decref(args);
		return status;
	}
	result = cli_call(cli, "usb explain", args);
	if (!result)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(result);
	else
		device_print_explanation(result, argv[0]);
	json_decref(result);
	return CLI_OK;
}

/* What became of a port: one line that says it all. */
static int report_port(struct cli *cli, const char *cmd, json_t *args)
{
	json_t *result = cli_call(cli, cmd, args);
	AUTO_FREE char *name = NULL, *why = NULL;

	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else {
		name = render_value("", json_object_get(result, "name"));
		why = render_value("", json_object_get(result, "why"));
		printf("%s port %" JSON_INTEGER_FORMAT ": %s\n", name,
		       json_integer_value(json_object_get(result, "port")), why);
	}
	json_decref(result);
	return CLI_OK;
}

/* Adds a text; CLI_OK, or CLI_USAGE after a message. */
static int add_text(struct cli *cli, json_t *args, const char *name, const char *text)
{
	json_t *string = json_string(text);

	if (!string)
		return cli_usage(cli, "the %s is not UTF-8", name);
	json_object_set_new(args, name, string);
	return CLI_OK;
}

int cmd_usb_attach(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = device_parse(cli, &vusb_kind, argv[0], &status);

	if (!args)
		return status;
	status = add_text(cli, args, "device", argv[1]);
	if (!status && argc > 2)
		status = add_port(cli, args, argv[2]);
	if (!status && argc > 3)
		status = add_text(cli, args, "quirks", argv[3]);
	if (status) {
		json_decref(args);
		return status;
	}
	if (cli->once)
		json_object_set_new(args, "once", json_true());
	return report_port(cli, "usb attach", args);
}

int cmd_usb_detach(struct cli *cli, int argc, char **argv)
{
	int status;
	json_t *args = device_parse(cli, &vusb_kind, argv[0], &status);

	if (!args)
		return status;
	if (port_number(argv[1]))
		status = add_port(cli, args, argv[1]);
	else
		status = add_text(cli, args, "device", argv[1]);
	if (status) {
		json_decref(args);
		return status;
	}
	return report_port(cli, "usb detach", args);
}
