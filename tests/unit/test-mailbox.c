/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-mailbox.c - letters from many threads arrive once, in each sender's order; a call returns
 * the result; who has read all is not woken. */
#include "mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "util.h"

#define SENDERS 4
#define LETTERS 2000

struct owner {
	struct mailbox *mailbox;
	unsigned int last[SENDERS], got;
	bool stop;
};
struct letter {
	unsigned int sender, number;
};
struct sender {
	struct owner *owner;
	unsigned int index;
};

static int receive(void *ctx, void *arg)
{
	struct owner *owner = ctx;
	const struct letter *letter = arg;

	assert_int_equal(letter->number, owner->last[letter->sender] + 1);
	owner->last[letter->sender] = letter->number;
	owner->got++;
	return (int)letter->number * 2;
}

static int stop(void *ctx, void *arg)
{
	((struct owner *)ctx)->stop = true;
	return 0;
}

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned int i = 1; i <= LETTERS; i++) {
		struct letter letter = {s->index, i};

		if (i % 5)
			mailbox_post(s->owner->mailbox, receive, &letter, sizeof(letter));
		else if (mailbox_call(s->owner->mailbox, receive, &letter) != (int)i * 2)
			return arg;
	}
	return NULL;
}

static void *own(void *arg)
{
	struct owner *owner = arg;

	while (!owner->stop) {
		struct pollfd p = {.fd = mailbox_fd(owner->mailbox), .events = POLLIN};

		poll(&p, 1, -1);
		mailbox_drain(owner->mailbox, owner);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct owner owner = {.mailbox = mailbox_create()};
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS], thread;
	void *result;

	pthread_create(&thread, NULL, own, &owner);
	for (unsigned int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){&owner, i};
		pthread_create(&threads[i], NULL, send_all, &senders[i]);
	}
	for (unsigned int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	mailbox_post(owner.mailbox, stop, NULL, 0);
	pthread_join(thread, NULL);
	assert_int_equal(owner.got, SENDERS * LETTERS);
	mailbox_destroy(owner.mailbox);
}

static bool late; /* events are written that much after their letters are there */

/* Instead of the library's. */
int eventfd_write(int fd, eventfd_t value)
{
	if (late)
		poll(NULL, 0, 2);
	return write(fd, &value, sizeof(value)) == sizeof(value) ? 0 : -1;
}

static bool readable(const struct mailbox *mailbox)
{
	struct pollfd p = {.fd = mailbox_fd(mailbox), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* As a busy worker, who looks for letters instead of waiting for events. */
static void *look(void *arg)
{
	struct owner *owner = arg;

	while (!owner->stop)
		if (mailbox_pending(owner->mailbox))
			mailbox_drain(owner->mailbox, owner);
	return NULL;
}

/* An event left behind by a letter that was read would keep its owner awake for ever. */
static void test_look(void **state)
{
	struct owner owner = {.mailbox = mailbox_create()};
	unsigned int left = 0;
	pthread_t thread;

	late = true;
	pthread_create(&thread, NULL, look, &owner);
	for (unsigned int i = 1; i <= 20; i++) {
		struct letter letter = {0, i};

		mailbox_call(owner.mailbox, receive, &letter);
		left += readable(owner.mailbox);
	}
	mailbox_call(owner.mailbox, stop, NULL);
	pthread_join(thread, NULL);
	late = false;
	assert_int_equal(left, 0);
	mailbox_destroy(owner.mailbox);
}

/* What nobody read is freed with the mailbox. */
static void test_unread(void **state)
{
	struct mailbox *mailbox = mailbox_create();

	assert_false(mailbox_pending(mailbox));
	mailbox_post(mailbox, stop, "abc", 3);
	assert_true(mailbox_pending(mailbox));
	mailbox_destroy(mailbox);
	mailbox_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_unread),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
