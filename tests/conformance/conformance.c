/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conformance.c - main of xen-conformance: does an implementation of the Xen seam behave as Xen
 * does?
 *
 * xen-conformance [--xen real|box[:DIR]|fake], TAP on stdout, exit status 1 when a check failed.
 * The fake and the box are checked as two domains, a real Xen as Dom0 with itself.
 */
#include "conformance.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/fake.h"

#include "config.h"

/* Numbers of guests in a box are free for all; this one nobody else uses. */
#define GUEST 47

static int party_open(struct party *p, struct xen *xen)
{
	int rc;

	p->xen = xen;
	p->ops = xen->ops;
	rc = p->ops->gnt_open(xen, &p->gnt);
	rc = rc ? rc : p->ops->evt_open(xen, &p->evt);
	rc = rc ? rc : p->ops->shr_open(xen, &p->shr);
	return rc ? rc : p->ops->store_open(xen, &p->store);
}

static void party_close(struct party *p)
{
	p->ops->store_close(p->store);
	p->ops->evt_close(p->evt);
	p->ops->gnt_close(p->gnt);
	p->ops->shr_close(p->shr);
	p->ops->close(p->xen);
}

/* The two domains; *fake is there when they are in one. */
static int open_xen(const char *spec, struct xen **back, struct xen **front, struct fake **fake)
{
	int rc;

	if (strcmp(spec, "fake") == 0) {
		rc = fake_create(fake);
		if (rc < 0)
			return rc;
		*back = fake_domain(*fake, 0);
		*front = fake_domain(*fake, GUEST);
		return *back && *front ? 0 : -ENOMEM;
	}
	rc = xen_open(back, spec);
	if (rc < 0)
		return rc;
	if (strncmp(spec, "box", 3) == 0)
		return xen_open_box(front, spec[3] ? spec + 4 : NULL, GUEST);
	return xen_open(front, spec);
}

static int run(const char *spec)
{
	struct xen *back = NULL, *front = NULL;
	struct fake *fake = NULL;
	struct world w = {.real = strcmp(spec, "real") == 0};
	int rc = open_xen(spec, &back, &front, &fake);

	if (rc == 0)
		rc = party_open(&w.back, back);
	if (rc == 0)
		rc = party_open(&w.front, front);
	if (rc < 0) {
		printf("Bail out! --xen %s: %s\n", spec, strerror(-rc));
		return 1;
	}
	conformance_grants(&w);
	conformance_events(&w);
	conformance_storage(&w);
	conformance_watches(&w);
	party_close(&w.front);
	party_close(&w.back);
	if (fake) {
		check_int(fake_mapped(fake, GUEST), 0, "no page is left mapped");
		check_int(fake_ports(fake, GUEST), 0, "no port is left bound");
		fake_destroy(fake);
	}
	return checks_done();
}

static void usage(FILE *out)
{
	fputs("Usage: xen-conformance [OPTION]...\n"
	      "Checks that grants, event channels and the store behave as Xen's do. Prints TAP.\n\n"
	      "  --xen=WHAT   real (default), box, box:DIR or fake\n"
	      "  --real       the same as --xen=real\n"
	      "  --version    print the version, then exit\n"
	      "  --help       print this, then exit\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"xen", required_argument, NULL, 'x'},
		{"real", no_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	const char *spec = "real";
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'x':
			spec = optarg;
			break;
		case 'r':
			spec = "real";
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'v':
			printf("xen-conformance (%s)\n", PACKAGE_STRING);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xen-conformance: unexpected argument \"%s\"\n", argv[optind]);
		return 2;
	}
	setlinebuf(stdout);
	return run(spec);
}
