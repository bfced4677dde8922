/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbox.c - a Xen in a box: grants, event channels and xenstore for backends, guests and tools on
 * a machine without Xen.
 *
 * Sockets in --dir: xenstored.sock (the real xenstored protocol: XENSTORED_PATH for Debian's
 * xenstore-* tools), guest.sock (the same for guests), box.sock (box_wire.h). Nothing survives its
 * end. SIGUSR1 cuts all store connections, as a xenstored restart does.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "log.h"
#include "util.h"
#include "xen/box_server.h"
#include "xen/store.h"
#include "xen/store_server.h"

#include "config.h"

#define LOG_MODULE "xenbox"

static const struct option options[] = {
	{"dir", required_argument, NULL, 'd'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

static void usage(FILE *out)
{
	fputs("Usage: xenbox [OPTION]...\n"
	      "A Xen in a box: grants, event channels and xenstore over sockets, for machines "
	      "without Xen.\n\n"
	      "  --dir=DIR   where its sockets go (default: $XENBOX_DIR, or /run/xenbox)\n"
	      "  --version   print the version, then exit\n"
	      "  --help      print this, then exit\n\n"
	      "xenstore-ls and its sisters work with XENSTORED_PATH=DIR/xenstored.sock. SIGUSR1 "
	      "cuts all\n"
	      "connections to the store, as a restart of xenstored would. See xenbox(8).\n",
	      out);
}

static int on_cut(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	log_info("all connections to the store are cut (SIGUSR1)");
	store_server_drop_all(ctx);
	return 0;
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

/* Everything between the first and the last breath. */
static int serve(const char *dir)
{
	struct store *store = store_create();
	struct store_server *stores = NULL;
	struct box_server *box = NULL;
	sd_event *event = NULL;
	int rc;

	rc = block_signals();
	if (rc == 0)
		rc = sd_event_new(&event);
	if (rc >= 0)
		rc = box_server_create(&box, event, store, dir);
	if (rc >= 0)
		rc = store_server_create(&stores, event, store, dir);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(event, NULL, SIGUSR1, on_cut, stores);
	if (rc == -EADDRINUSE)
		log_err("%s: another xenbox serves this directory", dir);
	else if (rc < 0)
		log_err("%s: cannot start: %s", dir, strerror(-rc));
	if (rc >= 0) {
		log_info("ready in %s", dir);
		sd_notify(0, "READY=1");
		rc = sd_event_loop(event);
		sd_notify(0, "STOPPING=1");
	}
	store_server_destroy(stores);
	box_server_destroy(box);
	store_destroy(store);
	sd_event_unref(event);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *dir = getenv("XENBOX_DIR");
	int c;

	if (!dir)
		dir = "/run/xenbox";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			dir = optarg;
			break;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		case 'v':
			printf("xenbox (%s)\n", PACKAGE_STRING);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xenbox: unexpected argument \"%s\"; see xenbox --help\n",
			argv[optind]);
		return 2;
	}
	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, "xenbox: %s: %s (choose another directory with --dir)\n", dir,
			strerror(errno));
		return EXIT_FAILURE;
	}
	return serve(dir);
}
