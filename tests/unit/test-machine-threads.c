/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-machine-threads.c - no notification is lost between threads, none arrives at a port that is
 * gone. Clean under ThreadSanitizer, too. */
#include "xen/machine.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "machine-lab.h"
#include "util.h"

#define ROUNDS	    10000 /* acknowledged bursts between two threads */
#define CHURNS	    5000  /* binds and unbinds under fire */
#define GIVE_UP_MS  10000 /* a lost event would be waited for for ever */
#define N_CHANNELS  3
#define LOOKS_AWAKE 1000

struct end {
	struct machine_lab *lab;
	uint16_t handle, domid;
	uint32_t ports[N_CHANNELS];
	unsigned int seed;
	uint32_t *mine,
		*theirs; /* a counter for each channel; the peer sees it by its event only */
	bool failed;
};

static unsigned int chance(struct end *e, unsigned int n)
{
	return (unsigned int)rand_r(&e->seed) % n;
}

static void pause_a_little(struct end *e)
{
	for (unsigned int n = chance(e, 256); n > 0; n--)
		__asm__ volatile("" : : : "memory");
}

/* One burst; the last notify, which alone has the value to tell, may meet the peer in any state. */
static void burst(struct end *e, uint32_t value)
{
	unsigned int c = 0;

	for (unsigned int n = chance(e, 5); n > 0; n--) {
		c = chance(e, N_CHANNELS);
		machine_evt_notify(&e->lab->env, e->domid, e->ports[c]);
		pause_a_little(e);
	}
	if (chance(e, 2))
		c = chance(e, N_CHANNELS);
	__atomic_store_n(&e->mine[c], value, __ATOMIC_RELAXED);
	machine_evt_notify(&e->lab->env, e->domid, e->ports[c]);
}

/* One look and what it finds: true when that has the value. */
static bool look(struct end *e, uint32_t value)
{
	uint32_t fired[2];
	bool seen = false;
	int n = machine_lab_take(e->lab, e->handle, fired, 1 + chance(e, ARRAY_SIZE(fired)));

	for (int i = 0; i < n; i++)
		for (unsigned int c = 0; c < N_CHANNELS; c++)
			seen |= fired[i] == e->ports[c] &&
				__atomic_load_n(&e->theirs[c], __ATOMIC_RELAXED) == value;
	pause_a_little(e);
	machine_evt_unmask(&e->lab->env, e->handle, fired, (unsigned int)n);
	return seen;
}

/* Works on events until one tells the value; stays awake for a while, then sleeps until it is
 * woken. */
static bool await(struct end *e, uint32_t value)
{
	for (;;) {
		for (unsigned int looks = chance(e, 2) ? chance(e, LOOKS_AWAKE) : chance(e, 4);
		     looks > 0; looks--)
			if (look(e, value))
				return true;
		if (!machine_lab_readable(e->lab, e->handle, GIVE_UP_MS))
			return false;
		if (look(e, value))
			return true;
	}
}

/* Where there are two CPUs the ends work at the same time, not in turn. */
static void use_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *answer(void *ctx)
{
	struct end *e = ctx;

	use_cpu(0);
	for (uint32_t round = 1; round <= ROUNDS && !e->failed; round++) {
		e->failed = !await(e, round);
		if (!e->failed)
			burst(e, round);
	}
	return NULL;
}

/*
 * Each round ends in waiting for the last notification of a burst: were it lost, nobody would wake.
 * Between the rounds both sides mask and unmask at times of their own.
 */
static void test_lost_wakeup(void **state)
{
	struct machine_lab *lab = *state;
	uint32_t counters[2][N_CHANNELS] = {{0}};
	struct end front = {.lab = lab,
			    .handle = lab->front,
			    .domid = FRONT,
			    .seed = 1,
			    .mine = counters[0],
			    .theirs = counters[1]};
	struct end back = {.lab = lab,
			   .handle = lab->back,
			   .domid = BACK,
			   .seed = 2,
			   .mine = counters[1],
			   .theirs = counters[0]};
	pthread_t thread;

	for (unsigned int c = 0; c < N_CHANNELS; c++)
		machine_lab_channel(lab, &front.ports[c], &back.ports[c]);
	assert_int_equal(pthread_create(&thread, NULL, answer, &back), 0);
	use_cpu(1);
	for (uint32_t round = 1; round <= ROUNDS && !front.failed; round++) {
		burst(&front, round);
		front.failed = !await(&front, round);
	}
	pthread_join(thread, NULL);
	assert_false(front.failed);
	assert_false(back.failed);
}

struct hammer {
	struct machine_lab *lab;
	uint32_t port;
	bool stop;
};

static void *hammer(void *ctx)
{
	struct hammer *h = ctx;

	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE))
		machine_evt_notify(&h->lab->env, FRONT, h->port);
	return NULL;
}

/* The backend binds and unbinds while the frontend notifies: no event of a port that is gone, none
 * lost after. */
static void test_churn(void **state)
{
	struct machine_lab *lab = *state;
	struct hammer h = {.lab = lab};
	uint32_t back, other, other_back, fired[4];
	pthread_t thread;

	machine_lab_channel(lab, &other,
			    &other_back); /* has a number below: never to be mentioned */
	assert_int_equal(machine_evt_alloc(lab->machine, lab->front, BACK, &h.port), 0);
	assert_int_equal(pthread_create(&thread, NULL, hammer, &h), 0);
	for (unsigned int i = 0; i < CHURNS; i++) {
		int n;

		assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, h.port, &back), 0);
		n = machine_lab_take(lab, lab->back, fired, ARRAY_SIZE(fired));
		assert_int_equal(n, 1);
		assert_int_equal(fired[0], back);
		if (i % 2)
			machine_evt_unmask(&lab->env, lab->back, &back, 1);
		assert_int_equal(machine_evt_unbind(lab->machine, lab->back, back), 0);
	}
	__atomic_store_n(&h.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, h.port, &back), 0);
	machine_lab_expect_fired(lab, lab->back, back);
	machine_evt_notify(&lab->env, FRONT, h.port);
	machine_lab_expect_fired(lab, lab->back, back);
	machine_evt_notify(&lab->env, FRONT, other);
	machine_lab_expect_fired(lab, lab->back, other_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE_TEST(test_lost_wakeup),
		MACHINE_TEST(test_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
