/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h - what a successor must know of a controller after kill -9, in a file under /run.
 *
 * Theory of Operation
 * Responses are written in any order and overwrite requests that are still open, so the ring does
 * not say which ids are open, nor what the guest believes of its ports. A file, mapped and written
 * like memory, says it: nothing is synced, since a machine that crashed has no guests either.
 *
 * Order of writes: an entry, then req_cons, then the request is carried out; before a response goes
 * into the ring, its index goes into the entry. After a crash an entry is open when it belongs to a
 * request below req_cons and has no response index below the ring's rsp_prod.
 *
 * Port events: index of the response and what the guest knew before it, in one write; then what it
 * knows behind it; then the response is published. After a crash, an event beyond the ring's
 * rsp_prod never happened.
 */
#ifndef XB_USB_JOURNAL_H
#define XB_USB_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port.h"

#define JOURNAL_ENTRIES 32u /**< more than a ring has slots: answered ones wait to be published */
#define JOURNAL_PORTS	32u /**< by port number, 1 to 31 */

enum journal_state { JOURNAL_FREE, JOURNAL_OPEN, JOURNAL_ANSWERED };

struct journal_entry {
	uint32_t index;	   /**< of the request in the ring */
	uint32_t response; /**< index of the response, once ANSWERED */
	uint16_t id;
	uint8_t state;	/**< enum journal_state */
	uint8_t unlink; /**< a request to unlink another */
};

/** The file. Its bytes are checked when it is read. */
struct journal_file {
	uint32_t magic, version;
	uint32_t urb_ref, event_channel; /**< of the rings that it belongs to */
	uint32_t req_cons;
	uint32_t n_entries;
	uint64_t
		event; /**< the last port event: response index, port, speed before it (<< 16, 8, 0)
			*/
	struct journal_entry entries[JOURNAL_ENTRIES];
	struct port_view ports[JOURNAL_PORTS];
};

struct journal {
	struct journal_file *file; /**< mapped; private memory where there is no file */
	char path[128];		   /**< "" = none */
};

/**
 * Opens DIR/NAME.journal. fresh: begins a new one. Else the one of a predecessor: -ENOENT, or
 * -EINVAL where it is not a journal or belongs to other rings, with a sentence in error. dir NULL:
 * keeps it in memory.
 */
int journal_open(struct journal *journal, const char *dir, const char *name, bool fresh,
		 uint32_t urb_ref, uint32_t event_channel, char *error, size_t error_size);
/** Unmaps; keep: the file stays for a successor. */
void journal_close(struct journal *journal, bool keep);

/** The request at ring index `index` is about to be carried out. */
void journal_take(struct journal *journal, uint32_t index, uint16_t id, bool unlink);
/** Its response is about to be written at `response`. */
void journal_answer(struct journal *journal, uint16_t id, bool unlink, uint32_t response);
/** The ring's responses are published up to rsp_prod: their entries are free again. */
void journal_published(struct journal *journal, uint32_t rsp_prod);

/** The guest is about to hear, by the connection ring's response `response`, that a port's device
 * came or went (USBIF_SPEED_*). Its view follows; NONE clears it. */
void journal_event(struct journal *journal, uint32_t response, unsigned int port, uint8_t speed);

/**
 * After a crash: what was answered and published becomes FREE, everything else that was taken OPEN.
 * rsp_prod: the ring's own. Returns the number of open entries, or -EPROTO where that is not what
 * lies between the ring's responses and req_cons.
 */
int journal_recover(struct journal *journal, uint32_t rsp_prod);
/**
 * After a crash: takes back an event that the guest was not told. rsp_prod: the connection ring's
 * own. Returns the port whose device it still believes in but whose state is forgotten, 0 = none.
 */
unsigned int journal_recover_event(struct journal *journal, uint32_t rsp_prod);

#endif
