/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-app.c - a small daemon on the skeleton, run as a child process: options, life cycle,
 * sd_notify, commands, rights.
 *
 * The parent plays systemd (notify socket), the operator (signals, control socket) and the reader
 * of stdout and stderr.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/app.h"
#include "common/ctl.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/stats.h"
#include "common/util.h"

#define LOG_MODULE "test"

static struct {
	char dir[64], ctl[96], notify[96], out_path[96], out[8192];
	int notify_fd;
	pid_t pid;
	const char *stderr_path; /* of the child; NULL = together with its stdout */
} t;

/* --- the daemon --- */

static struct {
	uint64_t count;
	bool flag, fail_check, fail_start;
	int worker_tid;
	sem_t worker_runs, worker_may_end;
	pthread_t worker;
} d = {.count = 7};

static const struct stat_desc d_descs[] = {{"count", STAT_KIND_COUNTER, 0, "A count."}};
static const struct key d_keys[] = {{"size", KEY_TYPE_U64, 0, 0, 9, NULL, "1", true, "A size."}};
static const struct key_table d_table = {"thing", "/x/NAME", d_keys, 1, sizeof(uint64_t)};
static const struct key_table *const d_tables[] = {&d_table};

static int set_flag(void *ctx, const char *value)
{
	*(bool *)ctx = true;
	return 0;
}

static int set_colour(void *ctx, const char *value)
{
	if (!strcmp(value, "red"))
		return 0;
	fprintf(stderr, "--colour: \"%s\" is refused; allowed: red\n", value);
	return -EINVAL;
}

static int check(void *ctx, bool only)
{
	if (d.fail_check)
		fprintf(stderr, "xen-netback is loaded\n");
	return d.fail_check ? -EBUSY : 0;
}

/* A line of /proc/PID/task/TID/status. */
static char *status_line(int tid, const char *name)
{
	AUTO_FREE char *path = xb_asprintf("/proc/self/task/%d/status", tid);
	FILE *file = fopen(path, "r");
	char line[256], *value = NULL;

	while (file && !value && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':') {
			line[strcspn(line, "\n")] = 0;
			value = xb_strdup(line + strlen(name) + 1 +
					  strspn(line + strlen(name) + 1, " \t"));
		}
	if (file)
		fclose(file);
	return value ? value : xb_strdup("?");
}

static json_t *thread_rights(int tid)
{
	AUTO_FREE char *effective = status_line(tid, "CapEff"),
		       *permitted = status_line(tid, "CapPrm");
	AUTO_FREE char *bounding = status_line(tid, "CapBnd"),
		       *nnp = status_line(tid, "NoNewPrivs");
	AUTO_FREE char *seccomp = status_line(tid, "Seccomp");

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "effective", effective, "permitted",
			 permitted, "bounding", bounding, "no_new_privs", nnp, "seccomp", seccomp);
}

static void set_errno(json_t *object, const char *name, long result)
{
	json_object_set_new(object, name, json_integer(result < 0 ? errno : 0));
}

static int cmd_rights(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	char *const argv[] = {(char *)"/bin/true", NULL};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*result = json_pack("{s:o, s:o}", "main", thread_rights(getpid()), "worker",
			    thread_rights(d.worker_tid));
	json_object_set_new(*result, "socket", json_boolean(fd >= 0));
	close(fd);
	set_errno(*result, "setns_net", setns(-1, CLONE_NEWNET));
	set_errno(*result, "setns_any", setns(-1, 0));
	set_errno(*result, "unshare_mount", unshare(CLONE_NEWNS));
	set_errno(*result, "unshare_net_user", unshare(CLONE_NEWNET | CLONE_NEWUSER));
	set_errno(*result, "unshare_nothing", unshare(0));
	set_errno(*result, "mount_new", syscall(SYS_mount, -1, -1, -1, 0, 0));
	set_errno(*result, "mount_move", syscall(SYS_mount, -1, -1, -1, MS_MOVE, 0));
	set_errno(*result, "mount_bind", syscall(SYS_mount, -1, -1, -1, MS_BIND, 0));
	set_errno(*result, "execve", execve(argv[0], argv, argv + 1));
	set_errno(*result, "bpf", syscall(SYS_bpf, -1, 0, 0));
	set_errno(*result, "kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	set_errno(*result, "delete_module", syscall(SYS_delete_module, 0, 0));
	return 0;
}

static void *work(void *ctx)
{
	d.worker_tid = (int)gettid();
	sem_post(&d.worker_runs);
	sem_wait(&d.worker_may_end);
	return NULL;
}

static int start(struct app *app)
{
	puts("start");
	log_info("starting");
	if (d.fail_start)
		return -EIO;
	stats_add(app->stats, "test", NULL, d_descs, 1, &d.count);
	ctl_register(app->ctl, "rights", "rights", cmd_rights, NULL);
	sem_init(&d.worker_runs, 0, 0);
	sem_init(&d.worker_may_end, 0, 0);
	if (pthread_create(&d.worker, NULL, work, NULL))
		return -EAGAIN;
	sem_wait(&d.worker_runs);
	app_status("serving %d\nthings", 3);
	return 0;
}

static void reload(struct app *app)
{
	puts("reload");
	fflush(stdout);
}

static void stop(struct app *app)
{
	puts("stop");
	fflush(stdout);
	if (!d.worker_tid)
		return;
	sem_post(&d.worker_may_end);
	pthread_join(d.worker, NULL);
}

static const struct app_option d_options[] = {
	{"flag", NULL, "set a flag", &d.flag, set_flag},
	{"colour", "COLOUR", "choose a colour", NULL, set_colour},
};
static const cap_value_t d_caps[] = {CAP_NET_ADMIN, CAP_NET_RAW};

static struct app_desc d_desc = {
	.name = "test-daemon",
	.summary = "Tests the skeleton.",
	.options = d_options,
	.n_options = ARRAY_SIZE(d_options),
	.tables = d_tables,
	.n_tables = 1,
	.keep_caps = d_caps,
	.n_keep_caps = ARRAY_SIZE(d_caps),
	.no_xen = true,
	.check = check,
	.start = start,
	.reload = reload,
	.stop = stop,
};

/* --- the parent --- */

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};

	memset(&t, 0, sizeof(t));
	strcpy(t.dir, "/tmp/test-app.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.ctl, sizeof(t.ctl), "%s/test-daemon.ctl", t.dir);
	snprintf(t.notify, sizeof(t.notify), "%s/notify", t.dir);
	snprintf(t.out_path, sizeof(t.out_path), "%s/out", t.dir);
	t.notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, t.notify);
	assert_int_equal(bind(t.notify_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(t.notify_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setenv("NOTIFY_SOCKET", t.notify, 1);
	setenv("XENBACK_RUN", t.dir, 1);
	unsetenv("XENBACK_XEN");
	unsetenv("WATCHDOG_USEC");
	d.fail_check = d.fail_start = false;
	d_desc.no_xen = true;
	return 0;
}

static int teardown(void **state)
{
	if (t.pid > 0) {
		kill(t.pid, SIGKILL);
		waitpid(t.pid, NULL, 0);
	}
	close(t.notify_fd);
	unlink(t.notify);
	unlink(t.out_path);
	unlink(t.ctl);
	rmdir(t.dir);
	return 0;
}

/* Starts the daemon with these arguments, its output in a file. */
static void launch(const char *const *args)
{
	char *argv[8] = {(char *)"test-daemon"};
	int argc = 1, fd;

	while (args && *args)
		argv[argc++] = (char *)*args++;
	fflush(NULL);
	t.pid = fork();
	if (t.pid)
		return;
	fd = open(t.out_path, O_CREAT | O_TRUNC | O_RDWR | O_APPEND, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(t.stderr_path ? open(t.stderr_path, O_WRONLY) : fd, STDERR_FILENO);
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = app_run(&d_desc, argc, argv);
	fflush(stdout);
	_exit(fd);
}

/* Waits for the end; returns the exit status and puts the output into t.out. */
static int finish(void)
{
	FILE *file;
	int status;

	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	t.pid = 0;
	file = fopen(t.out_path, "r");
	assert_non_null(file);
	t.out[fread(t.out, 1, sizeof(t.out) - 1, file)] = 0;
	fclose(file);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run(const char *first, const char *second)
{
	const char *const args[] = {first, second, NULL};

	launch(args);
	return finish();
}

static void expect_output(const char *words)
{
	if (!strstr(t.out, words))
		fail_msg("\"%s\" is missing in: %s", words, t.out);
}

/* Reads what the daemon tells systemd until this message. */
static void wait_notify(const char *words)
{
	char text[512] = "";

	do {
		ssize_t n = recv(t.notify_fd, text, sizeof(text) - 1, 0);

		if (n < 0)
			fail_msg("no \"%s\" from the daemon", words);
		text[n] = 0;
	} while (!strstr(text, words));
}

static json_t *call(const char *cmd, json_t *args)
{
	char error[CTL_ERROR_MAX];
	json_t *result;

	if (ctl_call(t.ctl, cmd, args, 20000, &result, error))
		fail_msg("%s: %s", cmd, error);
	json_decref(args);
	return result;
}

static void refused(const char *cmd, json_t *args, const char *words)
{
	char error[CTL_ERROR_MAX];
	json_t *result;

	assert_int_equal(ctl_call(t.ctl, cmd, args, 20000, &result, error), -EREMOTEIO);
	if (!strstr(error, words))
		fail_msg("%s: %s", cmd, error);
	json_decref(args);
}

static void help_comes_from_the_tables(void **state)
{
	assert_int_equal(run("--help", NULL), 0);
	expect_output("Usage: test-daemon [OPTION]...\nTests the skeleton.\n");
	expect_output("  --flag                   set a flag\n");
	expect_output("  --colour=COLOUR          choose a colour\n");
	expect_output("--ctl=SOCKET");
	expect_output("See test-daemon(8).");
	assert_null(strstr(t.out, "--xen")); /* it needs none */
	d_desc.no_xen = false;
	assert_int_equal(run("--help", NULL), 0);
	expect_output("--xen=real|box[:DIR]");
	assert_int_equal(run("--version", NULL), 0);
	assert_ptr_equal(strstr(t.out, "test-daemon "), t.out);
}

static void wrong_usage_is_exit_2(void **state)
{
	static const struct {
		const char *args[2], *words;
	} bad[] = {
		{{"--colur=red"},
		 "unknown option --colur=red; did you mean --colour?\nTry `test-daemon --help`."},
		{{"--bananas"}, "unknown option --bananas\n"},
		{{"-x"}, "unknown option -x"},
		{{"--colour"}, "a value is missing after --colour"},
		{{"--flag", "file"}, "unexpected argument file"},
		{{"--colour", "blue"}, "--colour: \"blue\" is refused; allowed: red"},
		{{"--log", "loud"},
		 "--log: \"loud\" is refused; allowed: [MODULE=] and err, warn, info or debug"},
		{{"--log", "=debug"}, "is refused"},
		{{"--flag=x"}, "unknown option --flag=x"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(run(bad[i].args[0], bad[i].args[1]), 2);
		expect_output(bad[i].words);
		assert_null(strstr(t.out, "start"));
	}
}

static void check_says_what_is_wrong(void **state)
{
	assert_int_equal(run("--check", NULL), 0);
	expect_output("test-daemon: everything is as it should be");
	assert_null(strstr(t.out, "start"));
	d.fail_check = true;
	assert_int_equal(run("--check", NULL), 1);
	expect_output("xen-netback is loaded");
	assert_int_equal(run(NULL, NULL), 1);
	assert_null(strstr(t.out, "start"));
}

static void failed_start_is_undone(void **state)
{
	d.fail_start = true;
	assert_int_equal(run(NULL, NULL), 1);
	expect_output("start\n");
	expect_output("stop\n");
	assert_int_equal(access(t.ctl, F_OK), -1);
}

static void impossible_xen_is_exit_2(void **state)
{
	d_desc.no_xen = false;
	assert_int_equal(run("--xen=bananas", NULL), 2);
	assert_null(strstr(t.out, "start\n"));
	setenv("XENBACK_XEN", "bananas", 1);
	assert_int_equal(run(NULL, NULL), 2);
}

static void life_is_told_to_systemd(void **state)
{
	const char *const args[] = {"--colour=red", "--log=test=debug", NULL};
	json_t *status;

	setenv("WATCHDOG_USEC", "20000000", 1);
	launch(args);
	wait_notify("STATUS=serving 3 things");
	wait_notify("WATCHDOG=1");
	wait_notify("READY=1");
	status = call("status", NULL);
	assert_string_equal(json_string_value(json_object_get(status, "name")), "test-daemon");
	assert_string_equal(json_string_value(json_object_get(status, "status")),
			    "serving 3 things");
	assert_string_equal(json_string_value(json_object_get(status, "xen")), "none");
	assert_int_equal(json_integer_value(json_object_get(status, "pid")), t.pid);
	json_decref(status);
	/* A second one must not take the socket away from the first. */
	{
		pid_t first = t.pid;

		assert_int_equal(run(NULL, NULL), 1);
		expect_output("is the daemon running already?");
		t.pid = first;
	}
	kill(t.pid, SIGHUP);
	json_decref(call("status", NULL));
	kill(t.pid, SIGTERM);
	wait_notify("STOPPING=1");
	assert_int_equal(finish(), 0);
	expect_output("reload\n");
	expect_output("stop\n");
	assert_int_equal(access(t.ctl, F_OK), -1);
}

static void interrupt_stops_it_too(void **state)
{
	launch(NULL);
	wait_notify("READY=1");
	kill(t.pid, SIGINT);
	assert_int_equal(finish(), 0);
	expect_output("stop\n");
}

static void builtin_commands_answer(void **state)
{
	json_t *result;

	launch(NULL);
	wait_notify("READY=1");
	result = call("metrics", NULL);
	assert_non_null(strstr(json_string_value(result), "\nxb_test_count_total 7\n# EOF\n"));
	json_decref(result);
	result = call("stats", NULL);
	assert_int_equal(json_array_size(result), 1);
	json_decref(result);
	result = call("stats", json_pack("{s:s}", "format", "text"));
	assert_non_null(strstr(json_string_value(result), "  count                    7\n"));
	json_decref(result);
	refused("stats", json_pack("{s:s}", "format", "xml"),
		"format: \"xml\" is refused; allowed: json or text");
	refused("stats", json_pack("{s:i}", "format", 1), "is refused");
	result = call("keys", NULL);
	assert_string_equal(json_string_value(json_object_get(json_array_get(result, 0), "name")),
			    "thing");
	json_decref(result);
	result = call("log", json_pack("{s:s, s:s}", "module", "vif", "level", "debug"));
	assert_string_equal(json_string_value(json_object_get(result, "vif")), "debug");
	assert_string_equal(json_string_value(json_object_get(result, "*")), "info");
	json_decref(result);
	refused("log", json_pack("{s:s}", "level", "loud"),
		"level: \"loud\" is refused; allowed: err, warn,");
	refused("log", json_pack("{s:s}", "module", "vif"), "level: \"\" is refused");
	refused("log", json_pack("{s:s, s:i}", "level", "err", "module", 1),
		"module: \"?\" is refused");
	for (int i = 0; i < 31; i++) {
		AUTO_FREE char *module = xb_asprintf("m%d", i);

		json_decref(
			call("log", json_pack("{s:s, s:s}", "module", module, "level", "warn")));
	}
	refused("log", json_pack("{s:s, s:s}", "module", "more", "level", "warn"),
		"too many modules");
	refused("metrisc", NULL, "did you mean \"metrics\"?");
}

static void expect_errno(const json_t *result, const char *call_name, int err)
{
	json_int_t got = json_integer_value(json_object_get(result, call_name));

	if (got != err)
		fail_msg("%s gave errno %d", call_name, (int)got);
}

static void rights_are_given_up(void **state)
{
	static const char *const threads[] = {"main", "worker"};
	static const char *const denied[] = {
		"setns_any", "unshare_mount", "unshare_net_user", "mount_new",	   "mount_move",
		"execve",    "bpf",	      "kexec_load",	  "delete_module",
	};
	json_t *result;

	if (geteuid())
		skip(); /* who has nothing can give up nothing */
	launch(NULL);
	wait_notify("READY=1");
	result = call("rights", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		json_t *thread = json_object_get(result, threads[i]);
		char left[32];

		snprintf(left, sizeof(left), "%016llx",
			 1ull << CAP_NET_ADMIN | 1ull << CAP_NET_RAW);
		assert_string_equal(json_string_value(json_object_get(thread, "effective")), left);
		assert_string_equal(json_string_value(json_object_get(thread, "permitted")), left);
		assert_string_equal(json_string_value(json_object_get(thread, "bounding")), left);
		assert_string_equal(json_string_value(json_object_get(thread, "no_new_privs")),
				    "1");
		assert_string_equal(json_string_value(json_object_get(thread, "seccomp")), "2");
	}
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		expect_errno(result, denied[i], EPERM);
	/* These reach the kernel, which finds the arguments wrong. */
	expect_errno(result, "setns_net", EBADF);
	expect_errno(result, "mount_bind", EFAULT);
	expect_errno(result, "unshare_nothing", 0);
	assert_true(json_is_true(json_object_get(result, "socket")));
	json_decref(result);
}

static void full_disk_does_not_stop_it(void **state)
{
	json_t *status;

	t.stderr_path = "/dev/full";
	launch(NULL);
	wait_notify("READY=1");
	status = call("status", NULL);
	assert_true(json_integer_value(json_object_get(status, "log_lines_lost")) > 0);
	json_decref(status);
	kill(t.pid, SIGTERM);
	assert_int_equal(finish(), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(help_comes_from_the_tables), TEST(wrong_usage_is_exit_2),
		TEST(check_says_what_is_wrong),	  TEST(failed_start_is_undone),
		TEST(impossible_xen_is_exit_2),	  TEST(life_is_told_to_systemd),
		TEST(interrupt_stops_it_too),	  TEST(builtin_commands_answer),
		TEST(rights_are_given_up),	  TEST(full_disk_does_not_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
