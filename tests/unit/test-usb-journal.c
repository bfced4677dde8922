/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-usb-journal.c - the journal of a controller: whatever write of it was the last one before a
 * crash, the successor knows the open ids; files that are no journals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/io/usbif.h>

#include "usbback/journal.h"
#include "util.h"

#define URB_REF 8
#define PORT	5
#define STEPS	64

static char dir[64];
static struct journal journal;

static int setup(void **state)
{
	char error[256];

	snprintf(dir, sizeof(dir), "/tmp/xb-journal-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(
		journal_open(&journal, dir, "vusb1.0", true, URB_REF, PORT, error, sizeof(error)),
		0);
	return 0;
}

static int teardown(void **state)
{
	journal_close(&journal, false);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* --- snapshots: the file after each single write --- */

static struct journal_file shots[STEPS];
static unsigned int n_shots;

static void shoot(void)
{
	assert_true(n_shots < STEPS);
	shots[n_shots++] = *journal.file;
}

/* The members that differ between two states of the file, one shot each, in the order in which
 * journal.h says that they are written. */
static void steps(const struct journal_file *from, const struct journal_file *to)
{
	struct journal_file now = *from;

#define STEP(member)                                                                               \
	do {                                                                                       \
		if (memcmp(&now.member, &to->member, sizeof(now.member)) != 0) {                   \
			memcpy(&now.member, &to->member, sizeof(now.member));                      \
			shots[n_shots++] = now;                                                    \
		}                                                                                  \
	} while (0)
	for (unsigned int i = 0; i < JOURNAL_ENTRIES; i++) {
		STEP(entries[i].response);
		STEP(entries[i].index);
		STEP(entries[i].id);
		STEP(entries[i].unlink);
		STEP(entries[i].state);
	}
	STEP(req_cons);
	STEP(event);
	for (unsigned int i = 0; i < JOURNAL_PORTS; i++) {
		STEP(ports[i].address);
		STEP(ports[i].configuration);
		STEP(ports[i].alternates);
		STEP(ports[i].speed);
	}
#undef STEP
	assert_memory_equal(&now, to, sizeof(now));
	assert_true(n_shots < STEPS);
}

/* A successor that finds this file, and rsp_prod in the ring: its open ids as text, unlinks with a
 * "u": "3 5 7u". */
static void recover(const struct journal_file *file, uint32_t rsp_prod, char *ids, size_t size)
{
	AUTO_FREE char *path = xb_asprintf("%s/next.journal", dir);
	struct journal next;
	char error[256];
	FILE *f = fopen(path, "w");
	int n, listed = 0;

	assert_int_equal(fwrite(file, sizeof(*file), 1, f), 1);
	fclose(f);
	if (journal_open(&next, dir, "next", false, URB_REF, PORT, error, sizeof(error)) < 0)
		fail_msg("%s", error);
	n = journal_recover(&next, rsp_prod);
	if (n < 0)
		fail_msg("does not fit the ring");
	ids[0] = '\0';
	for (unsigned int id = 0; id < 16; id++)
		for (unsigned int i = 0; i < JOURNAL_ENTRIES; i++) {
			const struct journal_entry *e = &next.file->entries[i];
			size_t at = strlen(ids);

			if (e->state == JOURNAL_FREE || e->id != id)
				continue;
			assert_int_equal(e->state, JOURNAL_OPEN);
			snprintf(ids + at, size - at, "%s%u%s", at ? " " : "", id,
				 e->unlink ? "u" : "");
			listed++;
		}
	assert_int_equal(listed, n);
	journal_close(&next, false);
}

static void expect(const struct journal_file *file, uint32_t rsp_prod, const char *ids)
{
	char found[128];

	recover(file, rsp_prod, found, sizeof(found));
	assert_string_equal(found, ids);
}

/* --- crashes --- */

/* A request that is taken is open from the moment on at which req_cons counts it. */
static void test_take(void **state)
{
	for (uint32_t start = 0; start < 2; start++) {
		uint32_t index = start ? 0xffffffffu : 0; /* indices run around */
		struct journal_file before;

		teardown(NULL);
		setup(NULL);
		journal.file->req_cons = index;
		journal_take(&journal, index, 3, false);
		expect(journal.file, index, "3");
		before = *journal.file;
		n_shots = 0;
		journal_take(&journal, index + 1, 7, true);
		steps(&before, journal.file);
		assert_true(n_shots >= 4);
		for (unsigned int i = 0; i < n_shots; i++)
			expect(&shots[i], index, shots[i].req_cons == index + 2 ? "3 7u" : "3");
		assert_int_equal(shots[n_shots - 1].req_cons, index + 2);
	}
}

/* A request is answered from the moment on at which the ring's rsp_prod counts its response. */
static void test_answer(void **state)
{
	struct journal_file before;

	for (uint16_t id = 0; id < 4; id++)
		journal_take(&journal, id, id, false);
	before = *journal.file;
	n_shots = 0;
	journal_answer(&journal, 2, false, 0);
	steps(&before, journal.file);
	before = *journal.file;
	journal_answer(&journal, 0, false, 1);
	steps(&before, journal.file);
	for (unsigned int i = 0; i < n_shots; i++)
		expect(&shots[i], 0, "0 1 2 3");
	/* Both are published by one write. */
	expect(journal.file, 2, "1 3");
	before = *journal.file;
	n_shots = 0;
	journal_published(&journal, 2);
	steps(&before, journal.file);
	assert_int_equal(n_shots, 2);
	for (unsigned int i = 0; i < n_shots; i++)
		expect(&shots[i], 2, "1 3");
}

/* The id is used again while the old entry is not yet tidied away; and an unlink of the same id. */
static void test_same_id(void **state)
{
	journal_take(&journal, 0, 5, false);
	journal_answer(&journal, 5, false, 0);
	shoot(); /* published, then crashed */
	journal_take(&journal, 1, 5, true);
	expect(journal.file, 1, "5u");
	journal_answer(&journal, 5, true, 1);
	expect(journal.file, 1, "5u");
	expect(journal.file, 2, "");
}

/* Thousands of requests in every order of answers, the indices run around: a successor at any time
 * knows what the ring knows. */
static void test_long_run(void **state)
{
	uint32_t random = 7, req = 0xfffff000u, rsp = req;
	bool open[16] = {false};
	unsigned int n_open = 0;

	journal.file->req_cons = req;
	for (unsigned int turn = 0; turn < 20000; turn++) {
		uint16_t id;
		char ids[128], wanted[128] = "";

		random = random * 1664525u + 1013904223u;
		id = random >> 24 & 15;
		if (!open[id]) {
			journal_take(&journal, req++, id, random & 1 << 20);
			n_open++;
		} else {
			for (unsigned int unlink = 0; unlink < 2; unlink++)
				journal_answer(&journal, id, unlink, rsp);
			journal_published(&journal, ++rsp);
			n_open--;
		}
		open[id] = !open[id];
		if (turn % 97)
			continue;
		assert_int_equal(n_open, req - rsp);
		recover(journal.file, rsp, ids, sizeof(ids));
		for (char *u = ids; (u = strchr(u, 'u')) != NULL;)
			memmove(u, u + 1, strlen(u));
		for (unsigned int i = 0; i < 16; i++) {
			size_t at = strlen(wanted);

			if (open[i])
				snprintf(wanted + at, sizeof(wanted) - at, "%s%u", at ? " " : "",
					 i);
		}
		assert_string_equal(ids, wanted);
	}
}

/* Ports: an event that was not published never happened, whatever was written before. */
static void test_events(void **state)
{
	struct port_view *view = &journal.file->ports[3];
	struct journal_file before = *journal.file;
	struct journal next = journal;
	struct journal_file copy;

	n_shots = 0;
	journal_event(&journal, 40, 3, USBIF_SPEED_HIGH);
	assert_int_equal(view->speed, USBIF_SPEED_HIGH);
	steps(&before, journal.file);
	assert_int_equal(n_shots, 2);
	for (unsigned int i = 0; i < n_shots; i++) {
		copy = shots[i];
		next.file = &copy;
		assert_int_equal(journal_recover_event(&next, 40), 0);
		assert_int_equal(copy.ports[3].speed, USBIF_SPEED_NONE);
	}
	copy = *journal.file; /* published */
	assert_int_equal(journal_recover_event(&next, 41), 0);
	assert_int_equal(copy.ports[3].speed, USBIF_SPEED_HIGH);
	view->address = 9;
	view->configuration = 1;
	view->alternates[1] = 2;
	before = *journal.file;
	n_shots = 0;
	journal_event(&journal, 41, 3, USBIF_SPEED_NONE);
	assert_int_equal(view->address, 0);
	assert_int_equal(view->alternates[1], 0);
	steps(&before, journal.file);
	for (unsigned int i = 0; i < n_shots; i++) {
		copy = shots[i];
		assert_int_equal(journal_recover_event(&next, 41), 3);
		assert_int_equal(copy.ports[3].speed, USBIF_SPEED_HIGH);
	}
	copy = *journal.file;
	assert_int_equal(journal_recover_event(&next, 42), 0);
	assert_int_equal(copy.ports[3].speed, USBIF_SPEED_NONE);
	copy.event = UINT64_MAX; /* nonsense is no event */
	assert_int_equal(journal_recover_event(&next, 42), 0);
}

/* --- files --- */

static int reopen(const char *name, bool fresh, uint32_t ref, uint32_t port, char *error)
{
	struct journal other;
	int rc = journal_open(&other, dir, name, fresh, ref, port, error, 256);

	if (rc == 0)
		journal_close(&other, true);
	return rc;
}

static void test_foreign(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *words;
	} bad[] = {
		{offsetof(struct journal_file, magic), 0, "is not a journal of this version"},
		{offsetof(struct journal_file, version), 9, "is not a journal of this version"},
		{offsetof(struct journal_file, n_entries), 31, "is not a journal of this version"},
		{offsetof(struct journal_file, urb_ref), 9, "belongs to other rings"},
		{offsetof(struct journal_file, event_channel), 9, "belongs to other rings"},
		{offsetof(struct journal_file, entries[5].state), 3, "an entry in no known state"},
		{offsetof(struct journal_file, entries[31].state), 255, "no known state"},
	};
	char error[256];

	assert_int_equal(reopen("vusb1.0", false, URB_REF, PORT, error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *byte = (uint8_t *)journal.file + bad[i].at, old = *byte;

		*byte = bad[i].value;
		assert_int_equal(reopen("vusb1.0", false, URB_REF, PORT, error), -EINVAL);
		if (!strstr(error, bad[i].words) || !strstr(error, dir))
			fail_msg("\"%s\" does not say \"%s\"", error, bad[i].words);
		*byte = old;
	}
	assert_int_equal(reopen("vusb1.0", false, URB_REF + 1, PORT, error), -EINVAL);
	assert_int_equal(reopen("vusb1.0", false, URB_REF, PORT + 1, error), -EINVAL);
	assert_int_equal(reopen("vusb1.0", false, URB_REF, PORT, error), 0);
	assert_int_equal(reopen("vusb2.0", false, URB_REF, PORT, error), -ENOENT);
	assert_non_null(strstr(error, "vusb2.0.journal"));
}

static void test_size(void **state)
{
	static const off_t sizes[] = {
		0, 1, 4, sizeof(struct journal_file) - 1, sizeof(struct journal_file) + 1, 1 << 20};
	AUTO_FREE char *path = xb_asprintf("%s/short.journal", dir);
	char error[256];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(reopen("short", true, URB_REF, PORT, error), 0);
		assert_int_equal(truncate(path, sizes[i]), 0);
		assert_int_equal(reopen("short", false, URB_REF, PORT, error), -EINVAL);
		assert_non_null(strstr(error, "wrong size"));
		assert_int_equal(reopen("short", true, URB_REF, PORT, error), 0); /* anew */
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(reopen("short", true, URB_REF, PORT, error), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("vusb1.0.journal", path), 0); /* never through a link */
	assert_int_equal(reopen("short", true, URB_REF, PORT, error), -ELOOP);
	assert_int_equal(reopen("short", false, URB_REF, PORT, error), -ELOOP);
	assert_int_equal(unlink(path), 0);
}

/* Counts that do not fit the ring. */
static void test_unfit(void **state)
{
	struct journal_file copy;
	struct journal next = {.file = &copy};

	journal_take(&journal, 0, 1, false);
	journal_take(&journal, 1, 2, false);
	for (uint32_t rsp_prod = 0; rsp_prod < 5; rsp_prod++) {
		copy = *journal.file;
		assert_int_equal(journal_recover(&next, rsp_prod), rsp_prod == 0 ? 2 : -EPROTO);
	}
	copy = *journal.file;
	assert_int_equal(journal_recover(&next, 0x80000000u), -EPROTO);
	copy = *journal.file;
	copy.req_cons = 1000;
	assert_int_equal(journal_recover(&next, 0), -EPROTO);
}

/* Without a directory: the same, in memory alone. */
static void test_memory(void **state)
{
	struct journal memory;
	char error[256];

	assert_int_equal(journal_open(&memory, NULL, "vusb1.0", true, 1, 2, error, sizeof(error)),
			 0);
	assert_string_equal(memory.path, "");
	journal_take(&memory, 0, 4, false);
	assert_int_equal(journal_recover(&memory, 0), 1);
	journal_close(&memory, true);
	journal_close(&memory, false); /* twice is legal */
}

static void test_close(void **state)
{
	AUTO_FREE char *path = xb_asprintf("%s/vusb1.0.journal", dir);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	journal_close(&journal, true);
	assert_int_equal(stat(path, &st), 0);
	journal_close(&journal, false);
	assert_int_equal(stat(path, &st), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_take, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unfit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
