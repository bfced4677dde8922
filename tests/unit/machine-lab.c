/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine-lab.c - see machine-lab.h. Used by test-machine.c and test-machine-threads.c. */
#include "machine-lab.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util.h"

static void *area(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static uint8_t *frames(void *ctx, uint16_t domid)
{
	return domid < N_DOMAINS ? ((struct machine_lab *)ctx)->frames[domid] : NULL;
}

void machine_lab_wake(void *ctx, uint16_t handle)
{
	(void)eventfd_write(((struct machine_lab *)ctx)->fds[handle], 1);
}

uint16_t machine_lab_open_handle(struct machine_lab *lab, uint16_t domid)
{
	int handle = machine_handle_open(lab->machine, domid);

	assert_true(handle >= 0);
	if (lab->fds[handle] < 0)
		lab->fds[handle] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return (uint16_t)handle;
}

int machine_lab_setup(void **state)
{
	struct machine_lab *lab = xb_calloc(1, sizeof(*lab));

	memset(lab->fds, -1, sizeof(lab->fds));
	lab->machine = area(sizeof(*lab->machine));
	lab->env = (struct machine_env){lab->machine, frames, machine_lab_wake, lab};
	lab->frames[BACK] = area(MACHINE_FRAMES_BYTES);
	lab->frames[FRONT] = area(MACHINE_FRAMES_BYTES);
	lab->back = machine_lab_open_handle(lab, BACK);
	lab->front = machine_lab_open_handle(lab, FRONT);
	*state = lab;
	return 0;
}

int machine_lab_teardown(void **state)
{
	struct machine_lab *lab = *state;

	for (unsigned int i = 0; i < MACHINE_HANDLES; i++)
		if (lab->fds[i] >= 0)
			close(lab->fds[i]);
	for (unsigned int i = 0; i < N_DOMAINS; i++)
		if (lab->frames[i])
			munmap(lab->frames[i], MACHINE_FRAMES_BYTES);
	munmap(lab->machine, sizeof(*lab->machine));
	free(lab);
	return 0;
}

int machine_lab_take(struct machine_lab *lab, uint16_t handle, uint32_t *ports, unsigned int max)
{
	return machine_evt_take(&lab->env, handle, lab->fds[handle], ports, max);
}

bool machine_lab_readable(struct machine_lab *lab, uint16_t handle, int timeout_ms)
{
	struct pollfd p = {.fd = lab->fds[handle], .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

void machine_lab_channel(struct machine_lab *lab, uint32_t *front, uint32_t *back)
{
	uint32_t fired;

	assert_int_equal(machine_evt_alloc(lab->machine, lab->front, BACK, front), 0);
	assert_int_equal(machine_evt_bind(&lab->env, lab->back, FRONT, *front, back), 0);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 1);
	assert_int_equal(fired, *back);
	assert_int_equal(machine_evt_unmask(&lab->env, lab->back, back, 1), 0);
	assert_int_equal(machine_lab_take(lab, lab->back, &fired, 1), 0);
}

void machine_lab_expect_fired(struct machine_lab *lab, uint16_t handle, uint32_t port)
{
	uint32_t fired = 0;

	assert_true(machine_lab_readable(lab, handle, 0));
	assert_int_equal(machine_lab_take(lab, handle, &fired, 1), 1);
	assert_int_equal(fired, port);
	machine_evt_unmask(&lab->env, handle, &port, 1);
}
