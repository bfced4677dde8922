/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_metrics.c - the command metrics: counters of all daemons as one OpenMetrics text, once
 * or by HTTP.
 *
 * The daemons that serve guests' rings have no HTTP server; this process asks them by their control
 * sockets, once for all scrapes of CACHE_NS.
 */
#include "xenbackctl_metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"

#define CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define CACHE_NS     (500 * NSEC_PER_MSEC)
#define CONNECTIONS  16u
#define TIMEOUT_S    10u

/* What the HTTP server's thread owns. */
struct exporter {
	struct cli *cli;
	char *text; /* of the last scrape */
	uint64_t text_ns;
};

/* A family of our own, with a sample for each daemon. */
struct own_family {
	const char *member; /* of its status; NULL = whether it answers */
	const char *name, *unit, *help;
	bool counter;
};

static void print_samples(FILE *out, const struct own_family *family, const json_t *statuses)
{
	const char *daemon;
	json_t *status;

	json_object_foreach((json_t *)(uintptr_t)statuses, daemon, status)
	{
		const json_t *value = json_object_get(status, family->member);
		AUTO_FREE char *label = openmetrics_escape(daemon);

		if (family->member && !value)
			continue;
		fprintf(out, "%s%s{daemon=\"%s\"} %" JSON_INTEGER_FORMAT "\n", family->name,
			family->counter ? "_total" : "", label,
			family->member ? json_integer_value(value) : !json_is_null(status));
	}
}

/* What the statuses of the daemons say; null: it does not answer. */
static void add_statuses(struct openmetrics *om, const json_t *statuses)
{
	static const struct own_family families[] = {
		{NULL, "xb_daemon_up", NULL, "1 when the daemon answers on its control socket",
		 false},
		{"uptime_s", "xb_daemon_uptime_seconds", "seconds", "Time since the daemon started",
		 false},
		{"log_lines_lost", "xb_daemon_log_lines_lost", NULL,
		 "Lines of the log that could not be written", true},
	};
	AUTO_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); /* memory is out */
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct own_family *family = &families[i];

		fprintf(out, "# TYPE %s %s\n", family->name, family->counter ? "counter" : "gauge");
		if (family->unit)
			fprintf(out, "# UNIT %s %s\n", family->name, family->unit);
		fprintf(out, "# HELP %s %s\n", family->name, family->help);
		print_samples(out, family, statuses);
	}
	fputs("# EOF\n", out);
	fclose(out);
	openmetrics_add(om, text);
}

/* One daemon's counters; its status, or null, into statuses. False after a message. */
static bool add_daemon(const struct cli *cli, const char *daemon, struct openmetrics *om,
		       json_t *statuses, bool loud)
{
	char error[CTL_ERROR_MAX];
	json_t *text = cli_ask(cli, daemon, "metrics", NULL, error);
	json_t *status = text ? cli_ask(cli, daemon, "status", NULL, error) : NULL;
	bool fine = status != NULL;

	if (!status && loud)
		cli_error("%s", error);
	if (text && !openmetrics_add(om, json_is_string(text) ? json_string_value(text) : "")) {
		if (loud)
			cli_error("%s: what it answers is no OpenMetrics text", daemon);
		fine = false;
	}
	if (fine && !strcmp(daemon, cli_daemons[0])) {
		json_t *teams = cli_ask(cli, daemon, "top", NULL, error);

		metrics_add_top(om, teams);
		json_decref(teams);
	}
	json_object_set_new(statuses, daemon, status ? status : json_null());
	json_decref(text);
	return fine;
}

/* All counters of the daemons that are there, to free(). *fine: all of them answered. */
static char *collect(const struct cli *cli, bool loud, bool *fine)
{
	const char *daemons[CLI_DAEMONS];
	const size_t n = cli_running_daemons(cli, daemons);
	struct openmetrics *om = openmetrics_create();
	json_t *statuses = json_object();
	char *text;

	*fine = true;
	for (size_t i = 0; i < n; i++)
		*fine &= add_daemon(cli, daemons[i], om, statuses, loud);
	add_statuses(om, statuses);
	text = openmetrics_text(om);
	/* What labels might do to a terminal. */
	for (char *c = text; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f)
			*c = '?';
	openmetrics_destroy(om);
	json_decref(statuses);
	return text;
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
			       const char *type, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static const char *scrape(struct exporter *exporter)
{
	const uint64_t now_ns = clock_now(&clock_monotonic);
	bool fine;

	if (!exporter->text || now_ns - exporter->text_ns >= CACHE_NS) {
		free(exporter->text);
		exporter->text = collect(exporter->cli, false, &fine);
		exporter->text_ns = now_ns;
	}
	return exporter->text;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	if (strcmp(method, "GET") != 0)
		return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", "GET only\n");
	if (strcmp(url, "/metrics") != 0)
		return respond(connection, MHD_HTTP_NOT_FOUND, "text/plain",
			       "xenback: the metrics are at /metrics\n");
	return respond(connection, MHD_HTTP_OK, CONTENT_TYPE, scrape(ctx));
}

/* "127.0.0.1:9717", "[::1]:9717" -> an address; false when it is none. */
static bool parse_address(const char *text, struct sockaddr_storage *address, socklen_t *size)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	const char *colon = strrchr(text, ':');
	const bool brackets = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
	AUTO_FREE char *host = NULL;
	struct addrinfo *found;

	if (!colon || colon == text || !colon[1])
		return false;
	host = xb_asprintf("%.*s", (int)(colon - text) - 2 * brackets, text + brackets);
	if ((strchr(host, ':') && !brackets) || getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(address, found->ai_addr, found->ai_addrlen);
	*size = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static int serve(struct cli *cli)
{
	struct exporter exporter = {.cli = cli};
	struct sockaddr_storage address;
	struct MHD_Daemon *daemon;
	const union MHD_DaemonInfo *info;
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD;
	socklen_t size;
	sigset_t set;
	int signal_number;

	if (!parse_address(cli->listen, &address, &size))
		return cli_usage(cli,
				 "--listen: \"%s\" is refused; allowed: ADDRESS:PORT such as "
				 "127.0.0.1:9717 or [::1]:9717",
				 cli->listen);
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, &exporter, MHD_OPTION_SOCK_ADDR,
				  (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
				  CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
				  MHD_OPTION_END);
	if (!daemon)
		return cli_error("cannot listen on %s: %s", cli->listen, strerror(errno));
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	printf("serving /metrics on port %u\n", info ? info->port : 0);
	fflush(stdout);
	sigwait(&set, &signal_number);
	MHD_stop_daemon(daemon);
	free(exporter.text);
	return CLI_OK;
}

int cmd_metrics(struct cli *cli, int argc, char **argv)
{
	json_t *json;
	char *text;
	bool fine;

	if (cli->listen)
		return serve(cli);
	text = collect(cli, true, &fine);
	if (cli->json) {
		json = json_string(text);
		cli_print_json(json);
		json_decref(json);
	} else {
		fputs(text, stdout);
	}
	free(text);
	return fine ? CLI_OK : CLI_FAILURE;
}
