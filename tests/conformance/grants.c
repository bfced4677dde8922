/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grants.c - sharing, mapping and copying of pages. Statuses: Xen, common/grant_table.c; refusals
 * of whole calls: Linux, drivers/xen/gntdev.c. */
#include "conformance.h"

#include <errno.h>
#include <string.h>

#define N_PAGES 4u
/* A domain that exists nowhere (DOMID_FIRST_RESERVED - 2), a reference beyond every table. */
#define NO_DOMAIN 0x7feeu
#define NO_REF	  0x7fffff00u

/* Pages that front shares with back, at addr. */
struct shared {
	uint32_t refs[N_PAGES];
	uint8_t *addr;
};

static int share(struct world *w, struct shared *s, bool writable)
{
	void *addr = NULL;
	int rc = w->front.ops->shr_alloc(w->front.shr, w->back.xen->domid, N_PAGES, writable,
					 s->refs, &addr);

	s->addr = addr;
	return rc;
}

static int unshare(struct world *w, struct shared *s)
{
	return w->front.ops->shr_free(w->front.shr, s->addr, N_PAGES);
}

static union xen_copy_ptr foreign(struct world *w, uint32_t ref, uint16_t offset)
{
	union xen_copy_ptr ptr = {0};

	ptr.foreign.ref = ref;
	ptr.foreign.offset = offset;
	ptr.foreign.domid = w->front.xen->domid;
	return ptr;
}

static struct xen_copy from_guest(struct world *w, uint32_t ref, uint16_t offset, void *to,
				  uint16_t len)
{
	struct xen_copy seg = {.len = len, .flags = XEN_COPY_SRC_GREF, .status = 99};

	seg.src = foreign(w, ref, offset);
	seg.dst.virt = to;
	return seg;
}

static struct xen_copy to_guest(struct world *w, const void *from, uint32_t ref, uint16_t offset,
				uint16_t len)
{
	struct xen_copy seg = {.len = len, .flags = XEN_COPY_DST_GREF, .status = 99};

	seg.src.virt = (void *)from;
	seg.dst = foreign(w, ref, offset);
	return seg;
}

static int copy(struct world *w, struct xen_copy *segs, unsigned int n)
{
	return w->back.ops->gnt_copy(w->back.gnt, segs, n);
}

static void test_share(struct world *w)
{
	static const uint8_t zeros[N_PAGES * XEN_PAGE_SIZE];
	struct shared s;

	if (!check_int(share(w, &s, true), 0, "share %u pages", N_PAGES))
		return;
	check(memcmp(s.addr, zeros, sizeof(zeros)) == 0, "shared pages begin zeroed");
	for (unsigned int i = 1; i < N_PAGES; i++)
		if (!check(s.refs[i] != s.refs[0] && s.refs[i] != 0,
			   "page %u has a reference of its own", i))
			break;
	memset(s.addr, 0x55, sizeof(zeros));
	check_int(unshare(w, &s), 0, "end the sharing");
	if (!check_int(share(w, &s, true), 0, "share again"))
		return;
	check(memcmp(s.addr, zeros, sizeof(zeros)) == 0, "pages shared again are zeroed again");
	unshare(w, &s);
}

static void test_map(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	uint16_t domid = w->front.xen->domid;
	uint32_t reversed[N_PAGES];
	struct shared s;
	void *addr;
	uint8_t *p;

	if (!check_int(share(w, &s, true), 0, "share pages to map"))
		return;
	for (unsigned int i = 0; i < N_PAGES; i++) {
		s.addr[i * XEN_PAGE_SIZE] = (uint8_t)(10 + i);
		reversed[i] = s.refs[N_PAGES - 1 - i];
	}
	if (check_int(ops->gnt_map(w->back.gnt, domid, s.refs, N_PAGES, &addr), 0, "map")) {
		p = addr;
		check(p[0] == 10 && p[3 * XEN_PAGE_SIZE] == 13, "see what the owner wrote");
		p[XEN_PAGE_SIZE + 7] = 77;
		check_int(s.addr[XEN_PAGE_SIZE + 7], 77, "the owner sees what we wrote");
		check_int(ops->gnt_unmap(w->back.gnt, addr, N_PAGES), 0, "unmap");
	}
	if (check_int(ops->gnt_map(w->back.gnt, domid, reversed, N_PAGES, &addr), 0,
		      "map in another order")) {
		p = addr;
		check(p[0] == 13 && p[XEN_PAGE_SIZE] == 12 && p[3 * XEN_PAGE_SIZE] == 10,
		      "pages lie in the order of the call");
		ops->gnt_unmap(w->back.gnt, addr, N_PAGES);
	}
	check_int(unshare(w, &s), 0, "end the sharing after the unmap");
}

static void test_map_refused(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	uint16_t domid = w->front.xen->domid;
	uint32_t mixed[2] = {0, NO_REF};
	struct shared s;
	void *addr = NULL;

	check(ops->gnt_map(w->back.gnt, domid, &mixed[1], 1, &addr) < 0,
	      "map of a reference that is none is refused");
	if (!check_int(share(w, &s, false), 0, "share read-only pages"))
		return;
	check(ops->gnt_map(w->back.gnt, domid, s.refs, 1, &addr) < 0,
	      "map of a read-only grant for writing is refused");
	unshare(w, &s);
	if (!check_int(share(w, &s, true), 0, "share writable pages"))
		return;
	mixed[0] = s.refs[0];
	check(ops->gnt_map(w->back.gnt, domid, mixed, 2, &addr) < 0,
	      "map with one bad reference is refused as a whole");
	check_int(unshare(w, &s), 0, "a refused map holds no page");
	check(ops->gnt_map(w->back.gnt, NO_DOMAIN, s.refs, 1, &addr) < 0,
	      "map from a domain that does not exist is refused");
}

static void test_in_use(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	struct xen_gnt *gnt;
	struct shared s;
	void *addr;

	if (w->real) { /* gntalloc frees the page later, when nobody has it mapped any more */
		skipped("the owner can't end a mapped grant", "the kernel ends it when unmapped");
		return;
	}
	if (!check_int(share(w, &s, true), 0, "share pages to hold"))
		return;
	check_int(ops->gnt_map(w->back.gnt, w->front.xen->domid, &s.refs[2], 1, &addr), 0,
		  "map one of them");
	check_int(unshare(w, &s), -EBUSY, "the owner can't end a mapped grant");
	check_int(ops->gnt_unmap(w->back.gnt, addr, 1), 0, "unmap it");
	check_int(ops->gnt_open(w->back.xen, &gnt), 0, "open another handle");
	check_int(ops->gnt_map(gnt, w->front.xen->domid, &s.refs[0], 1, &addr), 0, "map by it");
	ops->gnt_close(gnt);
	check_int(unshare(w, &s), 0, "a closed handle holds no page");
}

static void test_unmap_wrong(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	uint8_t page[XEN_PAGE_SIZE];

	check(ops->gnt_unmap(w->back.gnt, page, 1) < 0, "unmap of what is no mapping is refused");
}

static void test_copy(struct world *w)
{
	uint8_t local[3 * XEN_PAGE_SIZE];
	struct xen_copy segs[2];
	struct shared s;

	if (!check_int(share(w, &s, true), 0, "share pages to copy"))
		return;
	for (unsigned int i = 0; i < sizeof(local); i++)
		local[i] = (uint8_t)(i * 7 + i / 256);
	/* Unaligned on both sides, and the local side crosses a page. */
	segs[0] = to_guest(w, local + 4000, s.refs[0], 100, 200);
	segs[1] = to_guest(w, local, s.refs[1], 0, XEN_PAGE_SIZE);
	check_int(copy(w, segs, 2), 0, "copy to the guest");
	check(segs[0].status == 0 && segs[1].status == 0, "both segments are done");
	check(memcmp(s.addr + 100, local + 4000, 200) == 0, "a part of a page arrived");
	check(s.addr[99] == 0 && s.addr[300] == 0, "the bytes around it did not change");
	check(memcmp(s.addr + XEN_PAGE_SIZE, local, XEN_PAGE_SIZE) == 0, "a whole page arrived");
	memset(local, 0, sizeof(local));
	segs[0] = from_guest(w, s.refs[1], 4095, local + 5, 1);
	segs[1] = from_guest(w, s.refs[1], 0, local + 4090, 4096);
	check_int(copy(w, segs, 2), 0, "copy from the guest");
	check(segs[0].status == 0 && segs[1].status == 0, "both segments are done");
	check_int(local[5], s.addr[XEN_PAGE_SIZE + 4095], "the last byte of a page");
	check(memcmp(local + 4090, s.addr + XEN_PAGE_SIZE, XEN_PAGE_SIZE) == 0,
	      "a page to an odd address");
	check(local[4] == 0 && local[6] == 0, "the bytes around it did not change");
	check_int(copy(w, segs, 0), 0, "a call without segments");
	unshare(w, &s);
}

static void test_copy_foreign(struct world *w)
{
	struct xen_copy seg = {
		.len = 3000, .flags = XEN_COPY_SRC_GREF | XEN_COPY_DST_GREF, .status = 99};
	struct shared s;

	if (!check_int(share(w, &s, true), 0, "share pages for foreign to foreign"))
		return;
	memset(s.addr, 0xa5, XEN_PAGE_SIZE);
	seg.src = foreign(w, s.refs[0], 50);
	seg.dst = foreign(w, s.refs[3], 1000);
	check_int(copy(w, &seg, 1), 0, "copy from one granted page to another");
	check_int(seg.status, XEN_GNTST_OKAY, "its status");
	check(memcmp(s.addr + 3 * XEN_PAGE_SIZE + 1000, s.addr + 50, 3000) == 0, "it arrived");
	check(s.addr[3 * XEN_PAGE_SIZE + 999] == 0, "and nothing else");
	seg.dst = foreign(w, NO_REF, 0);
	check_int(copy(w, &seg, 1), 0, "the same to a bad reference");
	check_int(seg.status, XEN_GNTST_BAD_GNTREF, "its status");
	unshare(w, &s);
}

/* One bad segment among good ones: the others are copied all the same. */
static void expect_status(struct world *w, struct shared *s, struct xen_copy bad, int wanted,
			  const char *what)
{
	uint8_t buf[8] = {0};
	struct xen_copy segs[3];
	bool to = bad.flags & XEN_COPY_DST_GREF;

	memset(s->addr, 0x33, 8);
	segs[0] = to ? to_guest(w, buf, s->refs[0], 0, 4) : from_guest(w, s->refs[0], 0, buf, 4);
	segs[1] = bad;
	segs[2] =
		to ? to_guest(w, buf, s->refs[0], 4, 4) : from_guest(w, s->refs[0], 4, buf + 4, 4);
	if (!check_int(copy(w, segs, 3), 0, "%s: the call", what))
		return;
	check_int(segs[1].status, wanted, "%s: the status", what);
	check(segs[0].status == 0 && segs[2].status == 0 && memcmp(s->addr, buf, sizeof(buf)) == 0,
	      "%s: its neighbours are copied", what);
}

static void test_copy_status(struct world *w)
{
	uint8_t local[64] = {0};
	struct xen_copy seg;
	struct shared s, gone, readonly;

	if (!check_int(share(w, &s, true), 0, "share pages for bad segments"))
		return;
	expect_status(w, &s, from_guest(w, NO_REF, 0, local, 10), XEN_GNTST_BAD_GNTREF,
		      "from a reference beyond the table");
	expect_status(w, &s, to_guest(w, local, NO_REF, 0, 10), XEN_GNTST_BAD_GNTREF,
		      "to a reference beyond the table");
	seg = from_guest(w, s.refs[0], 0, local, 10);
	seg.src.foreign.domid = NO_DOMAIN;
	expect_status(w, &s, seg, XEN_GNTST_BAD_DOMAIN, "from a domain that does not exist");
	if (share(w, &gone, true) == 0 && unshare(w, &gone) == 0) {
		expect_status(w, &s, from_guest(w, gone.refs[1], 0, local, 10),
			      XEN_GNTST_GENERAL_ERROR, "from a grant that ended");
		expect_status(w, &s, to_guest(w, local, gone.refs[1], 0, 10),
			      XEN_GNTST_GENERAL_ERROR, "to a grant that ended");
	}
	if (share(w, &readonly, false) == 0) {
		expect_status(w, &s, from_guest(w, readonly.refs[0], 0, local, 10), XEN_GNTST_OKAY,
			      "from a read-only grant");
		expect_status(w, &s, to_guest(w, local, readonly.refs[0], 0, 10),
			      XEN_GNTST_GENERAL_ERROR, "to a read-only grant");
		check_int(readonly.addr[0], 0, "a read-only page did not change");
		unshare(w, &readonly);
	}
	expect_status(w, &s, from_guest(w, NO_REF, 0, local, 0), XEN_GNTST_OKAY,
		      "a segment without bytes");
	unshare(w, &s);
}

static void test_copy_bounds(struct world *w)
{
	uint8_t local[8192];
	struct xen_copy seg;
	struct shared s;

	memset(local, 0x44, sizeof(local));
	if (!check_int(share(w, &s, true), 0, "share pages for bounds"))
		return;
	seg = from_guest(w, s.refs[0], 4095, local, 1);
	check(copy(w, &seg, 1) == 0 && seg.status == 0, "up to the end of the page");
	seg = from_guest(w, s.refs[0], 4095, local, 2);
	check_int(copy(w, &seg, 1), -EINVAL, "from beyond the end of the page");
	seg = to_guest(w, local, s.refs[0], 0, 4097);
	check_int(copy(w, &seg, 1), -EINVAL, "to beyond the end of the page");
	check_int(s.addr[XEN_PAGE_SIZE], 0, "the next page did not change");
	seg = to_guest(w, local, s.refs[0], 65535, 10);
	check_int(copy(w, &seg, 1), -EINVAL, "an offset far outside");
	seg = (struct xen_copy){.len = 8};
	seg.src.virt = local;
	seg.dst.virt = local + 100;
	check_int(copy(w, &seg, 1), -EINVAL, "from here to here");
	unshare(w, &s);
}

/* A page granted to somebody else; the front grants to itself, the back tries. */
static void test_copy_stranger(struct world *w)
{
	const struct xen_ops *ops = w->front.ops;
	uint8_t local[16];
	struct xen_copy seg;
	uint32_t ref;
	void *addr;

	if (w->real) {
		skipped("pages granted to another domain are not ours", "front is back");
		return;
	}
	if (!check_int(ops->shr_alloc(w->front.shr, w->front.xen->domid, 1, true, &ref, &addr), 0,
		       "share a page with another domain"))
		return;
	seg = from_guest(w, ref, 0, local, sizeof(local));
	check_int(copy(w, &seg, 1), 0, "copy from it");
	check_int(seg.status, XEN_GNTST_GENERAL_ERROR, "a page granted to another domain");
	check(w->back.ops->gnt_map(w->back.gnt, w->front.xen->domid, &ref, 1, &addr) < 0,
	      "nor can it be mapped");
	check_int(ops->shr_free(w->front.shr, addr, 1), 0, "end that sharing");
}

void conformance_grants(struct world *w)
{
	test_share(w);
	test_map(w);
	test_map_refused(w);
	test_in_use(w);
	test_unmap_wrong(w);
	test_copy(w);
	test_copy_foreign(w);
	test_copy_status(w);
	test_copy_bounds(w);
	test_copy_stranger(w);
}
