/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mailbox.c - functions queued from one thread to another, see mailbox.h. */
#include "mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>

#include "util.h"

struct letter {
	struct letter *next;
	mailbox_fn fn;
	void *arg;
	int result;
	bool waited; /**< somebody waits for `done` and frees */
	bool done;
	pthread_cond_t cond;
	uint8_t copy[];
};

struct mailbox {
	pthread_mutex_t lock;
	struct letter *head, **tail;
	int fd;
};

struct mailbox *mailbox_create(void)
{
	struct mailbox *mailbox = xb_calloc(1, sizeof(*mailbox));

	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd < 0) {
		free(mailbox);
		return NULL;
	}
	mailbox->tail = &mailbox->head;
	pthread_mutex_init(&mailbox->lock, NULL);
	return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox)
{
	struct letter *letter;

	if (!mailbox)
		return;
	while ((letter = mailbox->head)) {
		mailbox->head = letter->next;
		free(letter);
	}
	close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

static void enqueue(struct mailbox *mailbox, struct letter *letter)
{
	__atomic_store_n(mailbox->tail, letter, __ATOMIC_RELEASE);
	mailbox->tail = &letter->next;
	/* Fails only when the counter is full (EAGAIN), and then it is readable anyway. */
	(void)eventfd_write(mailbox->fd, 1);
}

void mailbox_post(struct mailbox *mailbox, mailbox_fn fn, const void *arg, size_t size)
{
	struct letter *letter = xb_calloc(1, sizeof(*letter) + size);

	letter->fn = fn;
	letter->arg = letter->copy;
	if (size)
		memcpy(letter->copy, arg, size);
	pthread_mutex_lock(&mailbox->lock);
	enqueue(mailbox, letter);
	pthread_mutex_unlock(&mailbox->lock);
}

int mailbox_call(struct mailbox *mailbox, mailbox_fn fn, void *arg)
{
	struct letter letter = {.fn = fn, .arg = arg, .waited = true};

	pthread_cond_init(&letter.cond, NULL);
	pthread_mutex_lock(&mailbox->lock);
	enqueue(mailbox, &letter);
	while (!letter.done)
		pthread_cond_wait(&letter.cond, &mailbox->lock);
	pthread_mutex_unlock(&mailbox->lock);
	pthread_cond_destroy(&letter.cond);
	return letter.result;
}

bool mailbox_pending(const struct mailbox *mailbox)
{
	return __atomic_load_n(&mailbox->head, __ATOMIC_RELAXED);
}

void mailbox_drain(struct mailbox *mailbox, void *ctx)
{
	struct letter *letter, *next;
	eventfd_t count;

	/* With the lock: a letter is seen before its event is written, and an event that came after
	 * we looked for it would stay, without a letter. EAGAIN: a look without an event. */
	pthread_mutex_lock(&mailbox->lock);
	(void)eventfd_read(mailbox->fd, &count);
	letter = mailbox->head;
	mailbox->head = NULL;
	mailbox->tail = &mailbox->head;
	pthread_mutex_unlock(&mailbox->lock);
	for (; letter; letter = next) {
		int rc = letter->fn(ctx, letter->arg);

		next = letter->next;
		if (!letter->waited) {
			free(letter);
			continue;
		}
		pthread_mutex_lock(&mailbox->lock);
		letter->result = rc;
		letter->done = true; /* the waiter's stack: gone once the lock is free */
		pthread_cond_signal(&letter->cond);
		pthread_mutex_unlock(&mailbox->lock);
	}
}
