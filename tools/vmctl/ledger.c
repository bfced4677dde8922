/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger.c - see ledger.h. */
#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

void ledger_init(struct ledger *ledger)
{
	*ledger = (struct ledger){0};
}

static struct ledger_vm *find(struct ledger *ledger, const char *uuid)
{
	for (size_t i = 0; i < ledger->n; i++)
		if (!strcmp(ledger->vms[i].uuid, uuid))
			return &ledger->vms[i];
	return NULL;
}

/* A place for one more: a free one, or that of who has been quiet for longest. */
static struct ledger_vm *place(struct ledger *ledger)
{
	struct ledger_vm *oldest = NULL;

	if (ledger->n < LEDGER_VMS)
		return &ledger->vms[ledger->n++];
	for (size_t i = 0; i < ledger->n; i++) {
		struct ledger_vm *vm = &ledger->vms[i];

		if (!vm->until_ns && (!oldest || vm->used_up_ns < oldest->used_up_ns))
			oldest = vm;
	}
	return oldest;
}

static struct ledger_vm *find_or_add(struct ledger *ledger, const char *uuid)
{
	struct ledger_vm *vm = find(ledger, uuid);

	if (vm)
		return vm;
	vm = place(ledger);
	if (vm) {
		*vm = (struct ledger_vm){0};
		snprintf(vm->uuid, sizeof(vm->uuid), "%s", uuid);
	}
	return vm;
}

/* --- how often --- */

/* When all would be available again after one more. */
static uint64_t one_more(uint64_t used_up_ns, const struct ledger_rate *rate, uint64_t now_ns)
{
	return MAX(used_up_ns, now_ns) + rate->interval_ns / rate->times;
}

/* How long until one more fits, 0 = now. */
static uint64_t wait_for(uint64_t used_up_ns, const struct ledger_rate *rate, uint64_t now_ns)
{
	uint64_t after_ns = one_more(used_up_ns, rate, now_ns) - now_ns;

	return after_ns > rate->interval_ns ? after_ns - rate->interval_ns : 0;
}

int ledger_book(struct ledger *ledger, const char *uuid, const struct ledger_rate *vm,
		const struct ledger_rate *all, uint64_t now_ns, uint64_t *wait_ns)
{
	struct ledger_vm *booked = uuid ? find_or_add(ledger, uuid) : NULL;

	*wait_ns = 0;
	if (uuid && !booked)
		return -ENOSPC;
	*wait_ns = wait_for(ledger->used_up_ns, all, now_ns);
	if (booked)
		*wait_ns = MAX(*wait_ns, wait_for(booked->used_up_ns, vm, now_ns));
	if (*wait_ns)
		return -EAGAIN;
	ledger->used_up_ns = one_more(ledger->used_up_ns, all, now_ns);
	if (booked)
		booked->used_up_ns = one_more(booked->used_up_ns, vm, now_ns);
	return 0;
}

/* --- pauses --- */

static int reason_index(const struct ledger_vm *vm, const char *reason)
{
	for (unsigned int i = 0; i < vm->n_reasons; i++)
		if (!strcmp(vm->reasons[i].text, reason))
			return (int)i;
	return -1;
}

const struct ledger_reason *ledger_reason(const struct ledger_vm *vm, const char *reason)
{
	const int i = reason_index(vm, reason);

	return i < 0 ? NULL : &vm->reasons[i];
}

/* Goes on when the last reason ends. */
static void set_end(struct ledger_vm *vm)
{
	vm->until_ns = 0;
	for (unsigned int i = 0; i < vm->n_reasons; i++)
		vm->until_ns = MAX(vm->until_ns, vm->reasons[i].until_ns);
}

int ledger_pause(struct ledger *ledger, const char *uuid, uint16_t domid, const char *reason,
		 uint64_t now_ns, uint64_t until_ns)
{
	struct ledger_vm *vm = find_or_add(ledger, uuid);
	int i;

	if (!vm)
		return -ENOSPC;
	i = reason_index(vm, reason);
	if (i < 0 && vm->n_reasons == LEDGER_REASONS)
		return -EUSERS;
	if (!vm->n_reasons)
		vm->since_ns = now_ns;
	if (i < 0) {
		i = (int)vm->n_reasons++;
		snprintf(vm->reasons[i].text, LEDGER_REASON, "%s", reason);
	}
	vm->reasons[i].until_ns = until_ns;
	vm->domid = domid;
	set_end(vm);
	return 0;
}

void ledger_retry(struct ledger *ledger, const char *uuid, uint64_t when_ns)
{
	struct ledger_vm *vm = find(ledger, uuid);

	if (!vm || !vm->n_reasons)
		return;
	vm->n_reasons = 1;
	vm->reasons[0].until_ns = when_ns;
	set_end(vm);
}

void ledger_unpause(struct ledger *ledger, const char *uuid)
{
	struct ledger_vm *vm = find(ledger, uuid);

	if (vm)
		vm->until_ns = vm->n_reasons = 0;
}

void ledger_forget(struct ledger *ledger, const char *uuid, const char *reason)
{
	struct ledger_vm *vm = find(ledger, uuid);
	const int i = vm ? reason_index(vm, reason) : -1;

	if (i < 0)
		return;
	vm->reasons[i] = vm->reasons[--vm->n_reasons];
	set_end(vm);
}

const struct ledger_vm *ledger_paused(const struct ledger *ledger, const char *uuid)
{
	for (size_t i = 0; i < ledger->n; i++)
		if (ledger->vms[i].until_ns && !strcmp(ledger->vms[i].uuid, uuid))
			return &ledger->vms[i];
	return NULL;
}

const struct ledger_vm *ledger_nth_paused(const struct ledger *ledger, size_t i)
{
	for (size_t j = 0; j < ledger->n; j++)
		if (ledger->vms[j].until_ns && !i--)
			return &ledger->vms[j];
	return NULL;
}

const struct ledger_vm *ledger_due(const struct ledger *ledger, uint64_t now_ns)
{
	for (size_t i = 0; i < ledger->n; i++)
		if (ledger->vms[i].until_ns && ledger->vms[i].until_ns <= now_ns)
			return &ledger->vms[i];
	return NULL;
}

uint64_t ledger_deadline(const struct ledger *ledger)
{
	uint64_t next_ns = DEADLINE_NEVER;

	for (size_t i = 0; i < ledger->n; i++)
		if (ledger->vms[i].until_ns)
			next_ns = MIN(next_ns, ledger->vms[i].until_ns);
	return next_ns;
}

/* --- as text --- */

void ledger_format(const struct ledger *ledger, char text[LEDGER_TEXT_MAX])
{
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < ledger->n; i++) {
		const struct ledger_vm *vm = &ledger->vms[i];

		for (unsigned int r = 0; r < vm->n_reasons; r++) {
			const struct ledger_reason *reason = &vm->reasons[r];

			n += (size_t)snprintf(text + n, LEDGER_TEXT_MAX - n,
					      "%s %u %" PRIu64 "%s%s\n", vm->uuid, vm->domid,
					      reason->until_ns, reason->text[0] ? " " : "",
					      reason->text);
		}
	}
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < LEDGER_UUID - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return true;
}

/* A number after one blank; moves behind it. */
static bool take_number(const char **text, uint64_t max, uint64_t *value)
{
	const char *digits = *text + 1;
	char *end;

	if (**text != ' ' || *digits < '0' || *digits > '9')
		return false;
	errno = 0;
	*value = strtoull(digits, &end, 10);
	*text = end;
	return !errno && *value && *value <= max;
}

static bool take_line(struct ledger *ledger, const char *line, uint64_t now_ns, uint64_t latest_ns)
{
	const char *rest = line + LEDGER_UUID - 1;
	char uuid[LEDGER_UUID];
	uint64_t domid, until_ns;

	if (strlen(line) < LEDGER_UUID || !is_uuid(line))
		return false;
	if (!take_number(&rest, UINT16_MAX, &domid) || !take_number(&rest, UINT64_MAX, &until_ns))
		return false;
	if (*rest && (*rest++ != ' ' || !xb_is_word(rest, LEDGER_REASON - 1)))
		return false;
	memcpy(uuid, line, LEDGER_UUID - 1);
	uuid[LEDGER_UUID - 1] = 0;
	return !ledger_pause(ledger, uuid, (uint16_t)domid, rest, now_ns, MIN(until_ns, latest_ns));
}

unsigned int ledger_parse(struct ledger *ledger, const char *text, size_t size, uint64_t now_ns,
			  uint64_t max_ns)
{
	unsigned int n_wrong = 0;

	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t n = end ? (size_t)(end - text) : size;
		char line[120] = "";

		if (n < sizeof(line) && !memchr(text, 0, n)) {
			memcpy(line, text, n);
			line[n] = 0;
		}
		n_wrong += !take_line(ledger, line, now_ns, now_ns + max_ns);
		n += end ? 1 : 0;
		text += n;
		size -= n;
	}
	return n_wrong;
}
