/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vmctl.c - who asks xenback-vmctl: verbs, jobs, order, and servers that are away, silent or
 * not ours. */
#include "common/vmctl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "common/ctl.h"
#include "common/log.h"
#include "common/util.h"
#include "common/vmctl_wire.h"

struct answer {
	unsigned int n;
	int rc;
	char message[256];
	unsigned int order; /* the how manieth answer this was */
};

static struct test {
	char dir[64], path[96];
	sd_event *event;
	struct ctl *ctl; /* plays xenback-vmctl */
	struct vmctl *vmctl;
	unsigned int n_polls, n_answers;
	char last[256]; /* what it was asked */
} t;

static int cmd_pause(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	AUTO_FREE char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);

	snprintf(t.last, sizeof(t.last), "%s", text);
	*result = json_pack("{s:s}", "message", "paused\nfor 30 s");
	return 0;
}

static int cmd_unpause(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	snprintf(error, CTL_ERROR_MAX, "guest 4 was not paused by us");
	return -EPERM;
}

static int cmd_list(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	*result = json_pack("[{s:i}]", "domid", 4);
	return 0;
}

static int cmd_save(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	t.n_polls = 0;
	*result = json_pack("{s:i, s:s}", "job", 7, "state", "running");
	return 0;
}

static int cmd_job(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	if (json_integer_value(json_object_get(args, "job")) != 7) {
		snprintf(error, CTL_ERROR_MAX, "there is no such job");
		return -ENOENT;
	}
	*result = ++t.n_polls < 3 ? json_pack("{s:i, s:s}", "job", 7, "state", "running")
				  : json_pack("{s:i, s:s, s:s}", "job", 7, "state", "done",
					      "message", "saved");
	return 0;
}

static int cmd_migrate(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	*result = json_pack("{s:i, s:s, s:s}", "job", 8, "state", "failed", "message", "no route");
	return 0;
}

static void server_start(void)
{
	assert_int_equal(ctl_create(&t.ctl, t.event, t.path), 0);
	ctl_register(t.ctl, "pause", "", cmd_pause, NULL);
	ctl_register(t.ctl, "unpause", "", cmd_unpause, NULL);
	ctl_register(t.ctl, "list", "", cmd_list, NULL);
	ctl_register(t.ctl, "save", "", cmd_save, NULL);
	ctl_register(t.ctl, "job", "", cmd_job, NULL);
	ctl_register(t.ctl, "migrate", "", cmd_migrate, NULL);
}

static void drop_line(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static int setup(void **state)
{
	t = (struct test){.dir = "/tmp/test-vmctl.XXXXXX"};
	log_set_sink(drop_line, NULL);
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/vmctl.sock", t.dir);
	assert_true(sd_event_new(&t.event) >= 0);
	assert_int_equal(vmctl_open(&t.vmctl, t.event, t.path), 0);
	return 0;
}

static int teardown(void **state)
{
	vmctl_close(t.vmctl);
	ctl_destroy(t.ctl);
	sd_event_unref(t.event);
	unlink(t.path);
	assert_int_equal(rmdir(t.dir), 0);
	return 0;
}

static void on_done(void *ctx, int rc, const char *message)
{
	struct answer *answer = ctx;

	answer->n++;
	answer->rc = rc;
	answer->order = ++t.n_answers;
	snprintf(answer->message, sizeof(answer->message), "%s", message);
}

static void wait_for(const struct answer *answer)
{
	while (!answer->n)
		assert_true(sd_event_run(t.event, 10000000) > 0);
	assert_int_equal(answer->n, 1);
}

static void a_verb_is_asked_and_answered(void **state)
{
	struct answer pause = {0}, list = {0};

	server_start();
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, "30s", on_done, &pause), 0);
	assert_int_equal(pause.n, 0);
	wait_for(&pause);
	assert_int_equal(pause.rc, 0);
	assert_string_equal(pause.message, "paused for 30 s");
	assert_string_equal(t.last, "{\"argument\":\"30s\",\"vm\":4}");
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_LIST, VMCTL_NO_DOMID, NULL, on_done, &list), 0);
	wait_for(&list);
	assert_int_equal(list.rc, 0);
	assert_string_equal(list.message, "[{\"domid\":4}]");
}

static void a_pause_may_have_a_reason(void **state)
{
	struct answer pause = {0}, unpause = {0};

	server_start();
	assert_int_equal(vmctl_ask_for(t.vmctl, VMCTL_PAUSE, 4, "30s", "vif4.0", on_done, &pause),
			 0);
	wait_for(&pause);
	assert_string_equal(t.last, "{\"argument\":\"30s\",\"reason\":\"vif4.0\",\"vm\":4}");
	assert_int_equal(
		vmctl_ask_for(t.vmctl, VMCTL_UNPAUSE, 4, NULL, "a:b_c-D.9", on_done, &unpause), 0);
	wait_for(&unpause);
	assert_int_equal(
		vmctl_ask_for(t.vmctl, VMCTL_MIGRATE, 4, "b.lan", "vif4.0", on_done, &pause),
		-EINVAL);
	assert_int_equal(vmctl_ask_for(t.vmctl, VMCTL_PAUSE, 4, NULL, "", on_done, &pause),
			 -EINVAL);
	assert_int_equal(vmctl_ask_for(t.vmctl, VMCTL_PAUSE, 4, NULL, "a b", on_done, &pause),
			 -EINVAL);
	assert_int_equal(vmctl_ask_for(t.vmctl, VMCTL_PAUSE, 4, NULL,
				       "a2345678901234567890123456789012", on_done, &pause),
			 -EINVAL);
}

static void a_refusal_brings_its_reason(void **state)
{
	struct answer answer = {0};

	server_start();
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_UNPAUSE, 4, NULL, on_done, &answer), 0);
	wait_for(&answer);
	assert_int_equal(answer.rc, -EREMOTEIO);
	assert_string_equal(answer.message, "guest 4 was not paused by us");
}

static void a_job_is_followed_to_its_end(void **state)
{
	struct answer save = {0}, pause = {0}, migrate = {0};

	server_start();
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, "four", on_done, &save), 0);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 5, NULL, on_done, &pause), 0);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_MIGRATE, 6, "b.lan", on_done, &migrate), 0);
	wait_for(&save);
	assert_int_equal(save.rc, 0);
	assert_string_equal(save.message, "saved");
	assert_int_equal(t.n_polls, 3);
	/* The others did not wait for it. */
	assert_int_equal(pause.order, 1);
	assert_int_equal(migrate.order, 2);
	assert_int_equal(migrate.rc, -EREMOTEIO);
	assert_string_equal(migrate.message, "no route");
	assert_int_equal(save.order, 3);
}

static void a_server_that_is_away_is_named(void **state)
{
	struct answer first = {0}, second = {0};

	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &first), 0);
	assert_int_equal(first.n, 0); /* not from within */
	wait_for(&first);
	assert_int_equal(first.rc, -ENOENT);
	assert_non_null(strstr(first.message, t.path));
	assert_non_null(strstr(first.message, "systemctl start xenback-vmctl.socket"));
	/* It comes, and is found without more ado. */
	server_start();
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &second), 0);
	wait_for(&second);
	assert_int_equal(second.rc, 0);
}

static void a_server_that_dies_fails_what_is_asked(void **state)
{
	struct answer job = {0};

	server_start();
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, "four", on_done, &job), 0);
	while (!t.n_polls)
		assert_true(sd_event_run(t.event, 10000000) > 0);
	ctl_destroy(t.ctl);
	t.ctl = NULL;
	wait_for(&job);
	assert_true(job.rc == -ECONNRESET || job.rc == -ENOENT);
}

/* What answers there is somebody else. */
static int listen_foreign(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, t.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void nonsense_is_no_answer(void **state)
{
	static const char *const lines[] = {
		"hello\n",
		"{}\n",
		"{\"ok\":true,\"result\":{\"job\":0,\"state\":\"done\"}}\n",
		"{\"ok\":true,\"result\":{\"job\":3,\"state\":\"perhaps\"}}\n",
		"{\"ok\":true}\n",
		"{\"ok\":false}\n",
	};
	AUTO_CLOSE int listener = listen_foreign();

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct answer answer = {0};
		int fd;

		assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &answer), 0);
		fd = accept(listener, NULL, NULL);
		assert_true(send(fd, lines[i], strlen(lines[i]), 0) > 0);
		wait_for(&answer);
		close(fd);
		assert_int_equal(answer.rc, -EPROTO);
	}
}

static void an_unasked_line_disturbs_nothing(void **state)
{
	struct answer first = {0}, second = {0};
	AUTO_CLOSE int listener = listen_foreign();
	const char *line = "{\"ok\":false,\"error\":\"no\"}\n";
	int fd;

	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &first), 0);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 5, NULL, on_done, &second), 0);
	fd = accept(listener, NULL, NULL);
	assert_true(send(fd, line, strlen(line), 0) > 0);
	wait_for(&first);
	assert_int_equal(first.rc, -EREMOTEIO);
	close(fd);
	wait_for(&second);
	assert_int_equal(second.rc, -ECONNRESET);
}

static void wrong_questions_are_not_asked(void **state)
{
	char longest[VMCTL_ARGUMENT_MAX + 2];
	struct answer answer = {0};

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 0, NULL, on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, VMCTL_DOMID_END, NULL, on_done, &answer),
			 -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, VMCTL_NO_DOMID, NULL, on_done, &answer),
			 -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_LIST, 4, NULL, on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, NULL, on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, "", on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, "a b", on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, "\xc3\xa4", on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, longest, on_done, &answer), -EINVAL);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SHUTDOWN, 4, "now", on_done, &answer), -EINVAL);
	assert_int_equal(answer.n, 0);
}

static void only_so_many_wait(void **state)
{
	struct answer answers[VMCTL_WAITING_MAX + 1] = {0};

	server_start();
	for (unsigned int i = 0; i < VMCTL_WAITING_MAX; i++)
		assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &answers[i]), 0);
	assert_int_equal(
		vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &answers[VMCTL_WAITING_MAX]),
		-EBUSY);
	wait_for(&answers[VMCTL_WAITING_MAX - 1]);
	for (unsigned int i = 0; i < VMCTL_WAITING_MAX; i++)
		assert_int_equal(answers[i].order, i + 1);
	assert_int_equal(
		vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, on_done, &answers[VMCTL_WAITING_MAX]), 0);
	wait_for(&answers[VMCTL_WAITING_MAX]);
}

static void close_in_done(void *ctx, int rc, const char *message)
{
	on_done(ctx, rc, message);
	vmctl_close(t.vmctl);
	t.vmctl = NULL;
}

static void closed_means_no_more_answers(void **state)
{
	struct answer first = {0}, second = {0};

	server_start();
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_PAUSE, 4, NULL, close_in_done, &first), 0);
	assert_int_equal(vmctl_ask(t.vmctl, VMCTL_SAVE, 4, "four", on_done, &second), 0);
	wait_for(&first);
	while (sd_event_run(t.event, 0) > 0)
		;
	assert_int_equal(second.n, 0);
}

static void a_path_may_be_too_long(void **state)
{
	struct vmctl *vmctl;
	char path[200];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	assert_int_equal(vmctl_open(&vmctl, t.event, path), -ENAMETOOLONG);
	assert_null(vmctl);
	vmctl_close(NULL);
}

static void verbs_have_names(void **state)
{
	enum vmctl_verb verb;

	for (int i = 0; i < VMCTL_VERBS; i++) {
		assert_int_equal(vmctl_verb_parse(vmctl_verb_desc((enum vmctl_verb)i)->name, &verb),
				 0);
		assert_int_equal(verb, i);
	}
	assert_int_equal(vmctl_verb_parse("destroy", &verb), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_verb_is_asked_and_answered),
		TEST(a_pause_may_have_a_reason),
		TEST(a_refusal_brings_its_reason),
		TEST(a_job_is_followed_to_its_end),
		TEST(a_server_that_is_away_is_named),
		TEST(a_server_that_dies_fails_what_is_asked),
		TEST(nonsense_is_no_answer),
		TEST(an_unasked_line_disturbs_nothing),
		TEST(wrong_questions_are_not_asked),
		TEST(only_so_many_wait),
		TEST(closed_means_no_more_answers),
		TEST(a_path_may_be_too_long),
		TEST(verbs_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
