/* SPDX-License-Identifier: GPL-2.0-or-later */
/* box-lab.c - see box-lab.h. Used by test-box.c and test-box-nonsense.c. */
#include "box-lab.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

#define GIVE_UP_MS 20000 /* what comes late has not come */

char box_lab_dir[] = "/tmp/test-box.XXXXXX";
pid_t box_lab_pid;

void box_lab_check(bool good, const char *what, const char *file, int line)
{
	if (good)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	_exit(1);
}

/* --- the daemon --- */

static int notify_socket(char *path, size_t size)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(path, size, "%s/notify", box_lab_dir);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	return fd;
}

pid_t box_lab_spawn_daemon(const char *notify)
{
	AUTO_FREE char *program = xb_asprintf("%s/tools/xenbox", getenv("XENBACK_BUILD"));
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		setenv("NOTIFY_SOCKET", notify, 1);
		execl(program, program, "--dir", box_lab_dir, (char *)NULL);
		_exit(127);
	}
	return pid;
}

int box_lab_start(void **state)
{
	struct pollfd ready = {.events = POLLIN};
	char path[64];

	CHECK(mkdtemp(box_lab_dir));
	ready.fd = notify_socket(path, sizeof(path));
	box_lab_pid = box_lab_spawn_daemon(path);
	CHECK(box_lab_pid > 0 && poll(&ready, 1, GIVE_UP_MS) == 1);
	close(ready.fd);
	return 0;
}

int box_lab_stop(void **state)
{
	AUTO_FREE char *notify = xb_asprintf("%s/notify", box_lab_dir);
	int status = 0;

	kill(box_lab_pid, SIGTERM);
	CHECK(waitpid(box_lab_pid, &status, 0) == box_lab_pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	unlink(notify);
	CHECK(rmdir(box_lab_dir) == 0); /* it took its sockets along */
	return 0;
}

/* --- a domain with one handle of each kind --- */

void party_open(struct party *p, uint16_t domid)
{
	CHECK(xen_open_box(&p->xen, box_lab_dir, domid) == 0);
	p->ops = p->xen->ops;
	CHECK(p->ops->gnt_open(p->xen, &p->gnt) == 0);
	CHECK(p->ops->evt_open(p->xen, &p->evt) == 0);
	CHECK(p->ops->shr_open(p->xen, &p->shr) == 0);
}

void party_close(struct party *p)
{
	p->ops->shr_close(p->shr);
	p->ops->evt_close(p->evt);
	p->ops->gnt_close(p->gnt);
	p->ops->close(p->xen);
}

/* After two answers the daemon has also seen what happened before the first. */
void party_settle(struct party *p)
{
	CHECK(p->ops->evt_unbind(p->evt, 0) < 0);
	CHECK(p->ops->evt_unbind(p->evt, 0) < 0);
}

/* Waits for a port, of which there is one; leaves it masked. */
void party_await(struct party *p, uint32_t port)
{
	struct pollfd fd = {.fd = p->ops->evt_fd(p->evt), .events = POLLIN};
	uint32_t fired = 0;

	do {
		CHECK(poll(&fd, 1, GIVE_UP_MS) == 1);
	} while (p->ops->evt_pending(p->evt, &fired, 1) == 0);
	CHECK(fired == port);
}

int party_copy_from(struct party *p, uint32_t ref, uint16_t offset, void *to, uint16_t len)
{
	struct xen_copy seg = {.len = len, .flags = XEN_COPY_SRC_GREF, .dst.virt = to};

	seg.src.foreign.ref = ref;
	seg.src.foreign.offset = offset;
	seg.src.foreign.domid = GUEST;
	CHECK(p->ops->gnt_copy(p->gnt, &seg, 1) == 0);
	return seg.status;
}

int party_copy_to(struct party *p, uint32_t ref, uint16_t offset, const void *from, uint16_t len)
{
	struct xen_copy seg = {.len = len, .flags = XEN_COPY_DST_GREF, .src.virt = (void *)from};

	seg.dst.foreign.ref = ref;
	seg.dst.foreign.offset = offset;
	seg.dst.foreign.domid = GUEST;
	CHECK(p->ops->gnt_copy(p->gnt, &seg, 1) == 0);
	return seg.status;
}

/* --- processes --- */

pid_t child_start(void (*fn)(int to_parent, const struct offer *arg), const struct offer *arg,
		  int *from_child)
{
	int fds[2];
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		fn(fds[1], arg);
		_exit(0);
	}
	close(fds[1]);
	*from_child = fds[0];
	return pid;
}

void child_tell(int to_parent, const struct offer *offer)
{
	CHECK(write(to_parent, offer, sizeof(*offer)) == sizeof(*offer));
}

struct offer child_hear(int from_child)
{
	struct offer offer;

	CHECK(read(from_child, &offer, sizeof(offer)) == sizeof(offer));
	return offer;
}

void child_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

/* A guest's page and port, for domain 0. */
struct page *party_offer(struct party *guest, struct offer *offer)
{
	void *addr = NULL;

	CHECK(guest->ops->shr_alloc(guest->shr, 0, 1, true, &offer->ref, &addr) == 0);
	CHECK(guest->ops->evt_alloc(guest->evt, 0, &offer->port) == 0);
	return addr;
}
