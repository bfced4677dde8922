/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.c - a controller's memory beyond its process, see journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"
#include <xen/io/usbif.h>

#define MAGIC	0x6a736278u /* "xbsj" */
#define VERSION 1u

/* Keeps the compiler from moving writes to the mapped file: the kernel sees them in this order. */
#define ORDERED() __asm__ volatile("" ::: "memory")

static void begin(struct journal_file *file, uint32_t urb_ref, uint32_t event_channel)
{
	memset(file, 0, sizeof(*file));
	file->version = VERSION;
	file->urb_ref = urb_ref;
	file->event_channel = event_channel;
	file->n_entries = JOURNAL_ENTRIES;
	ORDERED();
	file->magic = MAGIC;
}

static const char *judge(const struct journal_file *file, off_t size, uint32_t urb_ref,
			 uint32_t event_channel)
{
	if (size != (off_t)sizeof(*file))
		return "has the wrong size";
	if (file->magic != MAGIC || file->version != VERSION || file->n_entries != JOURNAL_ENTRIES)
		return "is not a journal of this version";
	if (file->urb_ref != urb_ref || file->event_channel != event_channel)
		return "belongs to other rings";
	for (unsigned int i = 0; i < JOURNAL_ENTRIES; i++)
		if (file->entries[i].state > JOURNAL_ANSWERED)
			return "has an entry in no known state";
	return NULL;
}

static int map_file(struct journal *journal, bool fresh, off_t *size)
{
	AUTO_CLOSE int fd =
		open(journal->path,
		     O_RDWR | O_CLOEXEC | O_NOFOLLOW | (fresh ? O_CREAT | O_TRUNC : 0), 0600);
	struct stat st;
	void *p;
	int rc;

	if (fd < 0)
		return -errno;
	/* Room for all of it: where /run is full, writing to the mapping would be a SIGBUS. */
	rc = fresh ? -posix_fallocate(fd, 0, sizeof(struct journal_file)) : 0;
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return -errno;
	*size = st.st_size;
	if (*size != (off_t)sizeof(struct journal_file))
		return 0; /* judged by who called */
	p = mmap(NULL, sizeof(struct journal_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	journal->file = p;
	return 0;
}

static int map_memory(struct journal *journal)
{
	void *p = mmap(NULL, sizeof(struct journal_file), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	journal->file = p;
	return 0;
}

int journal_open(struct journal *journal, const char *dir, const char *name, bool fresh,
		 uint32_t urb_ref, uint32_t event_channel, char *error, size_t error_size)
{
	const char *why = NULL;
	off_t size = sizeof(struct journal_file);
	int rc;

	memset(journal, 0, sizeof(*journal));
	if (dir)
		snprintf(journal->path, sizeof(journal->path), "%s/%s.journal", dir, name);
	rc = dir ? map_file(journal, fresh, &size) : map_memory(journal);
	if (rc < 0) {
		snprintf(error, error_size, "journal %s: %s", journal->path, strerror(-rc));
		return rc;
	}
	if (fresh || !dir)
		begin(journal->file, urb_ref, event_channel);
	else
		why = journal->file ? judge(journal->file, size, urb_ref, event_channel)
				    : "has the wrong size";
	if (!why)
		return 0;
	snprintf(error, error_size, "journal %s %s", journal->path, why);
	journal_close(journal, true);
	return -EINVAL;
}

void journal_close(struct journal *journal, bool keep)
{
	if (journal->file)
		munmap(journal->file, sizeof(*journal->file));
	journal->file = NULL;
	if (!keep && journal->path[0])
		unlink(journal->path);
}

void journal_take(struct journal *journal, uint32_t index, uint16_t id, bool unlink)
{
	struct journal_file *file = journal->file;
	struct journal_entry *e = file->entries;

	/* There are more entries than requests and unpublished responses a ring can hold. */
	while (e < file->entries + JOURNAL_ENTRIES - 1 && e->state != JOURNAL_FREE)
		e++;
	e->index = index;
	e->id = id;
	e->unlink = unlink;
	ORDERED();
	e->state = JOURNAL_OPEN;
	ORDERED();
	file->req_cons = index + 1;
	ORDERED();
}

void journal_answer(struct journal *journal, uint16_t id, bool unlink, uint32_t response)
{
	for (struct journal_entry *e = journal->file->entries;
	     e < journal->file->entries + JOURNAL_ENTRIES; e++) {
		if (e->state != JOURNAL_OPEN || e->id != id || e->unlink != unlink)
			continue;
		e->response = response;
		ORDERED();
		e->state = JOURNAL_ANSWERED;
		ORDERED();
		return;
	}
}

void journal_published(struct journal *journal, uint32_t rsp_prod)
{
	for (unsigned int i = 0; i < JOURNAL_ENTRIES; i++) {
		struct journal_entry *e = &journal->file->entries[i];

		if (e->state == JOURNAL_ANSWERED && (int32_t)(rsp_prod - e->response) > 0)
			e->state = JOURNAL_FREE;
	}
}

int journal_recover(struct journal *journal, uint32_t rsp_prod)
{
	struct journal_file *file = journal->file;
	uint32_t n = 0;

	for (unsigned int i = 0; i < JOURNAL_ENTRIES; i++) {
		struct journal_entry *e = &file->entries[i];
		bool taken = (int32_t)(file->req_cons - e->index) > 0;
		bool told = e->state == JOURNAL_ANSWERED && (int32_t)(rsp_prod - e->response) > 0;

		if (e->state == JOURNAL_FREE)
			continue;
		e->state = taken && !told ? JOURNAL_OPEN : JOURNAL_FREE;
		n += e->state == JOURNAL_OPEN;
	}
	return n == file->req_cons - rsp_prod ? (int)n : -EPROTO;
}

void journal_event(struct journal *journal, uint32_t response, unsigned int port, uint8_t speed)
{
	struct port_view *view = &journal->file->ports[port];
	uint64_t event = (uint64_t)response << 16 | port << 8 | view->speed;

	__atomic_store_n(&journal->file->event, event, __ATOMIC_RELAXED); /* one write */
	ORDERED();
	if (speed == USBIF_SPEED_NONE)
		memset(view, 0, sizeof(*view));
	view->speed = speed;
	ORDERED();
}

unsigned int journal_recover_event(struct journal *journal, uint32_t rsp_prod)
{
	uint64_t event = journal->file->event;
	uint32_t response = (uint32_t)(event >> 16);
	unsigned int port = event >> 8 & 0xff;
	uint8_t before = (uint8_t)event;

	journal->file->event = 0;
	if (port == 0 || port >= JOURNAL_PORTS || (int32_t)(rsp_prod - response) > 0)
		return 0;
	journal->file->ports[port].speed = before;
	return before == USBIF_SPEED_NONE ? 0 : port;
}
