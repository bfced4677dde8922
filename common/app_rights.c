/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app_rights.c - gives up what a running daemon does not need.
 *
 * A list of what is denied, not of what is allowed: the libraries below us (libxen*, libnl, libusb,
 * glibc) change their calls from release to release, and a daemon that dies of an update is worse
 * than one that could still call sync().
 */
#include "app_priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "app"

/* The leak check of AddressSanitizer traces its own process when that ends. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_CHECK 1
#endif
#endif

static const int denied_calls[] = {
#ifndef LEAK_CHECK
	SCMP_SYS(ptrace),
#endif
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kcmp),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(move_mount),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(reboot),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(add_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(request_key),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(syslog),
	SCMP_SYS(personality),
	SCMP_SYS(vhangup),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(modify_ldt),
};

/* What other kinds of namespaces unshare could make. */
static const uint64_t denied_namespaces[] = {
	CLONE_NEWNS,  CLONE_NEWUSER,   CLONE_NEWPID,  CLONE_NEWUTS,
	CLONE_NEWIPC, CLONE_NEWCGROUP, CLONE_NEWTIME,
};

/*
 * Network namespaces are what NICs are kept in: made, pinned by a bind mount, entered. So of these
 * calls only the forms that do that stay.
 */
static int deny_other_namespaces(scmp_filter_ctx filter)
{
	const uint32_t deny = SCMP_ACT_ERRNO(EPERM);
	int err = seccomp_rule_add(filter, deny, SCMP_SYS(setns), 1,
				   SCMP_A1(SCMP_CMP_NE, CLONE_NEWNET));

	for (size_t i = 0; i < ARRAY_SIZE(denied_namespaces) && !err; i++)
		err = seccomp_rule_add(
			filter, deny, SCMP_SYS(unshare), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, denied_namespaces[i], denied_namespaces[i]));
	if (!err)
		err = seccomp_rule_add(filter, deny, SCMP_SYS(mount), 1,
				       SCMP_A3(SCMP_CMP_NE, MS_BIND));
	if (!err)
		err = seccomp_rule_add(filter, deny, SCMP_SYS(umount2), 1,
				       SCMP_A1(SCMP_CMP_NE, MNT_DETACH));
	return err;
}

int app_restrict_syscalls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int err = filter ? 0 : -ENOMEM;

	/* All threads at once: start may have made workers. Setting no_new_privs is libseccomp's
	 * default. */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t i = 0; i < ARRAY_SIZE(denied_calls) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied_calls[i], 0);
	if (!err)
		err = deny_other_namespaces(filter);
	if (!err)
		err = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (err)
		log_err("cannot restrict the system calls: %s", strerror(-err));
	return err;
}

/* --- helpers --- */

#ifndef LEAK_CHECK
/* What is left to a process that opens files for others. */
static const int helper_calls[] = {
	SCMP_SYS(read),	      SCMP_SYS(write),	      SCMP_SYS(openat),		 SCMP_SYS(close),
	SCMP_SYS(fstat),      SCMP_SYS(newfstatat),   SCMP_SYS(recvfrom),	 SCMP_SYS(sendmsg),
	SCMP_SYS(brk),	      SCMP_SYS(mmap),	      SCMP_SYS(munmap),		 SCMP_SYS(mremap),
	SCMP_SYS(futex),      SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static int restrict_helper(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(helper_calls) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, helper_calls[i], 0);
	if (!err)
		err = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (err)
		log_err("cannot restrict the system calls of a helper: %s", strerror(-err));
	return err;
}
#else
static int restrict_helper(void)
{
	return app_restrict_syscalls();
}
#endif

int app_confine_helper(void)
{
	int err = app_reduce_capabilities(NULL, 0);

	return err ? err : restrict_helper();
}

/* --- another user --- */

int app_find_user(const char *name)
{
	errno = 0;
	if (getpwnam(name))
		return 0;
	return errno && errno != ESRCH ? -errno : -ENOENT;
}

/* Changing the user leaves what is permitted, but nothing of it in effect. */
static int raise_permitted(void)
{
	cap_t now = cap_get_proc();
	int err = 0;

	if (!now || cap_fill_flag(now, CAP_EFFECTIVE, now, CAP_PERMITTED) || cap_set_proc(now))
		err = -errno;
	if (now)
		cap_free(now);
	return err;
}

int app_become_user(const char *name)
{
	const struct passwd *user = getpwnam(name);
	int err = 0;

	if (!user || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || initgroups(name, user->pw_gid) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		err = errno ? -errno : -ENOENT;
	if (!err)
		err = raise_permitted();
	if (err)
		log_err("cannot become user %s: %s", name, strerror(-err));
	return err;
}

/* --- capabilities --- */

static bool is_kept(cap_value_t cap, const cap_value_t *keep, size_t n_keep)
{
	for (size_t i = 0; i < n_keep; i++)
		if (keep[i] == cap)
			return true;
	return false;
}

/* What programs started by us could get; only the owner of CAP_SETPCAP may change it, the others
 * have nothing there to lose. */
static void reduce_bounding_set(const cap_value_t *keep, size_t n_keep)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (!is_kept(cap, keep, n_keep) && cap_get_bound(cap) == 1 && cap_drop_bound(cap))
			return;
}

int app_reduce_capabilities(const cap_value_t *keep, size_t n_keep)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int err = 0;

	if (!now || !next) {
		err = -errno;
		goto out;
	}
	reduce_bounding_set(keep, n_keep);
	cap_reset_ambient();
	for (size_t i = 0; i < n_keep && !err; i++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(now, keep[i], CAP_PERMITTED, &has) || has != CAP_SET)
			continue; /* not root: what needs it will say so */
		if (cap_set_flag(next, CAP_PERMITTED, 1, &keep[i], CAP_SET) ||
		    cap_set_flag(next, CAP_EFFECTIVE, 1, &keep[i], CAP_SET))
			err = -errno;
	}
	if (!err && cap_set_proc(next))
		err = -errno;
out:
	if (err)
		log_err("cannot reduce the capabilities: %s", strerror(-err));
	if (now)
		cap_free(now);
	if (next)
		cap_free(next);
	return err;
}
