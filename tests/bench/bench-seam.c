/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-seam.c - what the Xen seam without a Xen (fake, box) costs: grant copies beside memcpy() of
 * the same pages, event channels beside a bare eventfd.
 *
 * bench-seam [--ms N] [--rounds N] [--json FILE]. Starts a xenbox of its own, from the build tree.
 * Ours and the peer take turns in short rounds, so that a busy machine hurts both alike; figures
 * are medians of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/util.h"
#include "common/xen/fake.h"
#include "tests/bench/rounds.h"
#include "tests/unit/box-lab.h"

#define BATCH 64
#define SMALL 60
/* Of the local buffers: at the same offset in a page as the guest's, each load would wait for the
 * store before it (4K aliasing), and the plain memcpy() most of all. */
#define STRIDE (XEN_PAGE_SIZE + 256)

/* Both ends of an implementation: a guest that shares BATCH pages and a port, a backend. */
struct seam {
	const char *name;
	struct party back, guest;
	uint32_t refs[BATCH], front_port, port;
	uint8_t *pages; /* as the guest sees them */
	struct xen_copy segs[BATCH];
};

static struct seam seams[2];
static uint8_t *local; /* BATCH buffers */
static int event_fd;
static volatile uint64_t sink;

/* --- the jobs: each BATCH times --- */

static void copy(struct seam *s, uint16_t len, bool to_guest)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		struct xen_copy *seg = &s->segs[i];
		union xen_copy_ptr *foreign = to_guest ? &seg->dst : &seg->src;

		(to_guest ? &seg->src : &seg->dst)->virt = local + (size_t)i * STRIDE;
		foreign->foreign.ref = s->refs[i];
		foreign->foreign.offset = 0;
		foreign->foreign.domid = GUEST;
		seg->len = len;
		seg->flags = to_guest ? XEN_COPY_DST_GREF : XEN_COPY_SRC_GREF;
	}
	box_lab_check(s->back.ops->gnt_copy(s->back.gnt, s->segs, BATCH) == 0, "copy", __FILE__,
		      __LINE__);
	for (unsigned int i = 0; i < BATCH; i++)
		sink += (uint64_t)s->segs[i].status;
}

static void copy_small(struct seam *s)
{
	copy(s, SMALL, false);
}

static void copy_page(struct seam *s)
{
	copy(s, XEN_PAGE_SIZE, false);
}

static void copy_page_to(struct seam *s)
{
	copy(s, XEN_PAGE_SIZE, true);
}

static void plain(struct seam *s, size_t len, bool to_guest)
{
	for (size_t i = 0; i < BATCH; i++) {
		uint8_t *page = s->pages + i * XEN_PAGE_SIZE, *here = local + i * STRIDE;

		memcpy(to_guest ? page : here, to_guest ? here : page, len);
		__asm__ volatile("" : : : "memory");
	}
}

static void plain_small(struct seam *s)
{
	plain(s, SMALL, false);
}

static void plain_page(struct seam *s)
{
	plain(s, XEN_PAGE_SIZE, false);
}

static void plain_page_to(struct seam *s)
{
	plain(s, XEN_PAGE_SIZE, true);
}

/* A backend that is awake: each look finds an event. */
static void event_busy(struct seam *s)
{
	for (int i = 0; i < BATCH; i++) {
		uint32_t fired = 0;

		s->guest.ops->evt_notify(s->guest.evt, s->front_port);
		sink += (uint64_t)s->back.ops->evt_pending(s->back.evt, &fired, 1);
		s->back.ops->evt_unmask(s->back.evt, &fired, 1);
	}
}

/* One that falls asleep after each event: the last look finds nothing. */
static void event_idle(struct seam *s)
{
	for (int i = 0; i < BATCH; i++) {
		uint32_t fired = 0;

		s->guest.ops->evt_notify(s->guest.evt, s->front_port);
		sink += (uint64_t)s->back.ops->evt_pending(s->back.evt, &fired, 1);
		s->back.ops->evt_unmask(s->back.evt, &fired, 1);
		sink += (uint64_t)s->back.ops->evt_pending(s->back.evt, &fired, 1);
	}
}

static void event_plain(struct seam *s)
{
	for (int i = 0; i < BATCH; i++) {
		eventfd_t count;

		(void)eventfd_write(event_fd, 1);
		(void)eventfd_read(event_fd, &count);
	}
}

static const struct {
	const char *name;
	void (*ours)(struct seam *s);
	const char *peer_name;
	void (*peer)(struct seam *s);
} rows[] = {
	{"copy 60 B from guest", copy_small, "memcpy", plain_small},
	{"copy 4096 B from guest", copy_page, "memcpy", plain_page},
	{"copy 4096 B to guest", copy_page_to, "memcpy", plain_page_to},
	{"event, awake", event_busy, "eventfd write + read", event_plain},
	{"event, then asleep", event_idle, "eventfd write + read", event_plain},
};

/* --- set-up --- */

static void handles_open(struct party *p, struct xen *xen)
{
	p->xen = xen;
	p->ops = xen->ops;
	CHECK(p->ops->gnt_open(xen, &p->gnt) == 0);
	CHECK(p->ops->evt_open(xen, &p->evt) == 0);
	CHECK(p->ops->shr_open(xen, &p->shr) == 0);
}

/* The parties are open. */
static void seam_open(struct seam *s, const char *name)
{
	struct party *back = &s->back, *guest = &s->guest;
	uint32_t fired = 0;
	void *addr = NULL;

	s->name = name;
	CHECK(guest->ops->shr_alloc(guest->shr, 0, BATCH, true, s->refs, &addr) == 0);
	s->pages = addr;
	memset(s->pages, 1, (size_t)BATCH * XEN_PAGE_SIZE);
	CHECK(guest->ops->evt_alloc(guest->evt, 0, &s->front_port) == 0);
	CHECK(back->ops->evt_bind(back->evt, GUEST, s->front_port, &s->port) == 0);
	CHECK(back->ops->evt_pending(back->evt, &fired, 1) == 1 && fired == s->port);
	back->ops->evt_unmask(back->evt, &fired, 1);
	/* A job that did nothing would be fast. */
	copy_page(s);
	for (size_t i = 0; i < BATCH; i++)
		CHECK(memcmp(local + i * STRIDE, s->pages + i * XEN_PAGE_SIZE, XEN_PAGE_SIZE) == 0);
	event_idle(s); /* also fetches what the first wake needs */
}

static void seam_close(struct seam *s)
{
	CHECK(s->guest.ops->shr_free(s->guest.shr, s->pages, BATCH) == 0);
	party_close(&s->guest);
	party_close(&s->back);
}

/* Where no make says where the daemon is: beside us. */
static void find_build(void)
{
	AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
	char *tests = self ? strstr(self, "/tests/bench/") : NULL;

	if (!tests || getenv("XENBACK_BUILD"))
		return;
	*tests = '\0';
	setenv("XENBACK_BUILD", self, 1);
}

/* --- measuring --- */

static double measure(void (*fn)(struct seam *s), struct seam *s, uint64_t duration_ns)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic);
	uint64_t n = 0, now_ns;

	do {
		fn(s);
		n += BATCH;
		now_ns = clock_now(&clock_monotonic);
	} while (now_ns - begin_ns < duration_ns);
	return (double)(now_ns - begin_ns) / (double)n;
}

static json_t *run(size_t row, struct seam *s, const struct rounds *rounds)
{
	double ours[ROUNDS_MAX] = {0}, peer[ROUNDS_MAX] = {0};
	AUTO_FREE char *name = xb_asprintf("%s: %s", s->name, rows[row].name);

	for (unsigned int i = 0; i < rounds->n; i++) {
		ours[i] = measure(rows[row].ours, s, rounds->duration_ns);
		peer[i] = measure(rows[row].peer, s, rounds->duration_ns);
	}
	const double ours_ns = rounds_median(ours, rounds->n);
	const double peer_ns = rounds_median(peer, rounds->n);
	printf("%-28s %8.1f ns   %-20s %8.1f ns   %6.2f times as fast\n", name, ours_ns,
	       rows[row].peer_name, peer_ns, peer_ns / ours_ns);
	return json_pack("{s:s, s:s, s:f, s:f, s:f}", "name", name, "peer", rows[row].peer_name,
			 "ours_ns", ours_ns, "peer_ns", peer_ns, "ratio", peer_ns / ours_ns);
}

static int run_all(const struct rounds *rounds)
{
	json_t *results = json_array();

	for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
		for (size_t i = 0; i < ARRAY_SIZE(seams); i++)
			json_array_append_new(results, run(row, &seams[i], rounds));
	return rounds_report(rounds, results);
}

static int with_seams(const struct rounds *rounds)
{
	const size_t size = (size_t)BATCH * STRIDE;
	struct fake *fake = NULL;
	int rc;

	local = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(local != MAP_FAILED && event_fd >= 0 && fake_create(&fake) == 0);
	handles_open(&seams[0].back, fake_domain(fake, 0));
	handles_open(&seams[0].guest, fake_domain(fake, GUEST));
	seam_open(&seams[0], "fake");
	box_lab_start(NULL);
	party_open(&seams[1].back, 0);
	party_open(&seams[1].guest, GUEST);
	seam_open(&seams[1], "box");
	rc = run_all(rounds);
	for (size_t i = 0; i < ARRAY_SIZE(seams); i++)
		seam_close(&seams[i]);
	box_lab_stop(NULL);
	fake_destroy(fake);
	close(event_fd);
	munmap(local, size);
	return rc;
}

int main(int argc, char **argv)
{
	struct rounds rounds;

	if (!rounds_options(&rounds, "bench-seam", 20, argc, argv))
		return 2;
	find_build();
	if (!getenv("XENBACK_BUILD")) {
		fprintf(stderr, "bench-seam: XENBACK_BUILD is not set: where is tools/xenbox?\n");
		return 2;
	}
	return with_seams(&rounds);
}
