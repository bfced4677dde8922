/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vmctl-service.c - xenback-vmctl as a service, on a manual clock, with guests that are not
 * there and a helper that only notes what it is asked for. */
#include "tools/vmctl/service.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/log.h"
#include "common/util.h"
#include "vms-fake.h"

#define UUID_1 "00000000-0000-0000-0000-000000000001"

static struct test {
	char dir[64], conf[96], state[96], next[112];
	struct clock clock;
	struct vms_fake fake;
	struct service *service;
	struct ctl *ctl;
	char *reply;
	/* what the helper was asked for last */
	uint64_t job, timeout_ns;
	enum vmctl_verb verb;
	uint16_t domid;
	char argument[400];
	int start_error;
} t;

static int note_start(void *ctx, uint64_t job, enum vmctl_verb verb, uint16_t domid,
		      const char *argument, uint64_t timeout_ns)
{
	t.job = job;
	t.verb = verb;
	t.domid = domid;
	t.timeout_ns = timeout_ns;
	snprintf(t.argument, sizeof(t.argument), "%s", argument ? argument : "(none)");
	return t.start_error;
}

/* Each time a file of its own: the service goes by inode, size and time. */
static void write_conf(const char *text)
{
	FILE *file = fopen(t.next, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
	assert_int_equal(chmod(t.next, 0644), 0);
	assert_int_equal(rename(t.next, t.conf), 0);
}

static void service_begin(void)
{
	const struct service_config config = {
		.clock = &t.clock,
		.vms = &t.fake.vms,
		.conf_path = t.conf,
		.state_path = t.state,
		.start = note_start,
	};

	assert_int_equal(ctl_create(&t.ctl, NULL, NULL), 0);
	assert_int_equal(service_create(&t.service, &config), 0);
	service_register(t.service, t.ctl);
}

static void service_end(void)
{
	service_destroy(t.service);
	ctl_destroy(t.ctl);
	t.service = NULL;
	t.ctl = NULL;
}

/* Killed: nothing is tidied up, as far as the host can see. */
static void service_killed(void)
{
	t.fake.error = -EIO;
	service_end();
	t.fake.error = 0;
}

static void drop_line(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static int setup(void **state)
{
	t = (struct test){.dir = "/tmp/test-vmctl.XXXXXX"};
	log_set_sink(drop_line, NULL);
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.conf, sizeof(t.conf), "%s/vmctl.conf", t.dir);
	snprintf(t.next, sizeof(t.next), "%s.next", t.conf);
	snprintf(t.state, sizeof(t.state), "%s/paused", t.dir);
	clock_init_manual(&t.clock, 1000 * NSEC_PER_SEC);
	vms_fake_init(&t.fake);
	vms_fake_add(&t.fake, 3, "web1", 1);
	vms_fake_add(&t.fake, 4, "db", 2);
	write_conf("[vm web*]\nallow = pause save migrate shutdown\nmax_pause = 30s\n"
		   "times = 3\ninterval = 60s\n"
		   "[vmctl]\nsave_dir = /nonexistent\nlaunch_dir = /nonexistent/cfg\n"
		   "migrate_to = *.lan\nrestore = web*\nlaunch = spare\ntimeout = 90s\n");
	service_begin();
	return 0;
}

static int teardown(void **state)
{
	service_end();
	free(t.reply);
	unlink(t.conf);
	unlink(t.state);
	assert_int_equal(rmdir(t.dir), 0);
	return 0;
}

static const char *ask(const char *line)
{
	free(t.reply);
	t.reply = ctl_handle(t.ctl, line, strlen(line));
	return t.reply;
}

#define PAUSE(args) ask("{\"cmd\":\"pause\",\"args\":{" args "}}")

static void expect_ok(const char *reply, const char *part)
{
	if (!strstr(reply, "\"ok\":true") || !strstr(reply, part))
		fail_msg("%s\n   lacks %s", reply, part);
}

static void expect_refused(const char *reply, const char *part)
{
	if (!strstr(reply, "\"ok\":false") || !strstr(reply, part))
		fail_msg("%s\n   lacks %s", reply, part);
}

static unsigned int pauses(uint16_t domid)
{
	return vms_fake_find(&t.fake, domid)->pauses;
}

static void advance(uint64_t ns)
{
	clock_advance(&t.clock, ns);
	service_run(t.service);
}

static void a_pause_ends_when_asked(void **state)
{
	expect_ok(PAUSE("\"vm\":3,\"argument\":\"10s\""), "is paused, for 10 s at most");
	assert_int_equal(pauses(3), 1);
	expect_ok(ask("{\"cmd\":\"list\"}"), "\"goes_on_in_s\":10");
	expect_ok(ask("{\"cmd\":\"unpause\",\"args\":{\"vm\":3}}"), "goes on");
	assert_int_equal(pauses(3), 0);
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void a_pause_ends_by_itself(void **state)
{
	expect_ok(PAUSE("\"vm\":3,\"argument\":\"10s\""), "10 s");
	assert_true(service_deadline(t.service) == 1010 * NSEC_PER_SEC);
	advance(10 * NSEC_PER_SEC - 1);
	assert_int_equal(pauses(3), 1);
	advance(1);
	assert_int_equal(pauses(3), 0);
}

#define FOR(vif)      "\"vm\":3,\"reason\":\"vif3." vif "\""
#define UNPAUSE(args) ask("{\"cmd\":\"unpause\",\"args\":{" args "}}")

static void a_guest_stays_paused_until_the_last_reason_is_gone(void **state)
{
	expect_ok(PAUSE(FOR("0")), "is paused, for 30 s at most");
	expect_ok(PAUSE(FOR("1")), "is paused, for 30 s at most");
	assert_int_equal(pauses(3), 1);
	expect_ok(ask("{\"cmd\":\"list\"}"), "\"reasons\":[\"vif3.0\",\"vif3.1\"]");
	expect_ok(UNPAUSE(FOR("0")), "stays paused for other reasons, for 30 s more");
	assert_int_equal(pauses(3), 1);
	/* What is gone is gone; it is not asked for again and again. */
	expect_ok(UNPAUSE(FOR("0")), "is not paused for vif3.0 any more");
	assert_int_equal(pauses(3), 1);
	/* Also after a restart. */
	service_killed();
	service_begin();
	assert_int_equal(pauses(3), 1);
	expect_ok(UNPAUSE(FOR("0")), "is not paused for vif3.0 any more");
	expect_ok(UNPAUSE(FOR("1")), "goes on");
	assert_int_equal(pauses(3), 0);
	expect_ok(UNPAUSE(FOR("1")), "is not paused for vif3.1 any more");
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void who_gives_no_reason_ends_them_all(void **state)
{
	expect_ok(PAUSE(FOR("0")), "30 s");
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	expect_ok(UNPAUSE(FOR("0")), "stays paused");
	assert_int_equal(pauses(3), 1);
	expect_ok(PAUSE(FOR("0")), "30 s");
	expect_ok(UNPAUSE("\"vm\":3"), "goes on");
	assert_int_equal(pauses(3), 0);
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void reasons_in_turn_are_one_pause(void **state)
{
	expect_ok(PAUSE(FOR("0") ",\"argument\":\"20s\""), "20 s");
	advance(15 * NSEC_PER_SEC);
	/* max_pause counts from the first one. */
	expect_ok(PAUSE(FOR("1")), "for 15 s at most");
	advance(5 * NSEC_PER_SEC);
	assert_int_equal(pauses(3), 1);
	/* The first one's time is up: it may be given again, until the same end. */
	expect_ok(PAUSE(FOR("0")), "for 10 s at most");
	expect_ok(UNPAUSE(FOR("1")), "stays paused for other reasons, for 10 s more");
	advance(10 * NSEC_PER_SEC - 1);
	assert_int_equal(pauses(3), 1);
	advance(1);
	assert_int_equal(pauses(3), 0);
}

static void a_reason_whose_time_is_up_holds_nobody(void **state)
{
	expect_ok(PAUSE(FOR("0") ",\"argument\":\"5s\""), "5 s");
	expect_ok(PAUSE(FOR("1")), "30 s");
	advance(10 * NSEC_PER_SEC);
	assert_int_equal(pauses(3), 1);
	expect_ok(UNPAUSE(FOR("1")), "goes on");
	assert_int_equal(pauses(3), 0);
}

static void a_pause_that_is_over_is_no_pause(void **state)
{
	struct vms_fake_guest *guest = vms_fake_find(&t.fake, 3);

	expect_ok(PAUSE(FOR("0")), "30 s");
	guest->pauses = 0; /* by others */
	guest->info.paused = false;
	expect_ok(PAUSE(FOR("1")), "30 s");
	assert_int_equal(pauses(3), 1);
	expect_ok(ask("{\"cmd\":\"list\"}"), "\"reasons\":[\"vif3.1\"]");
	guest->pauses = 0; /* it was started again */
	guest->info.paused = false;
	guest->info.domid = 9;
	expect_ok(PAUSE("\"vm\":9,\"reason\":\"vif9.0\""), "30 s");
	assert_int_equal(pauses(9), 1);
	advance(30 * NSEC_PER_SEC);
	assert_int_equal(pauses(9), 0);
}

static void a_reason_is_a_word(void **state)
{
	static const char *const wrong[] = {"\"\"", "\"a b\"", "3", "\"a/b\"",
					    "\"a2345678901234567890123456789012\""};
	char line[160];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(line, sizeof(line),
			 "{\"cmd\":\"pause\",\"args\":{\"vm\":3,\"reason\":%s}}", wrong[i]);
		expect_refused(ask(line), "allowed are 1 to 31 letters");
	}
	expect_refused(ask("{\"cmd\":\"shutdown\",\"args\":{" FOR("0") "}}"),
		       "shutdown takes no \\\"reason\\\"");
	assert_int_equal(pauses(3), 0);
}

static void max_pause_bounds_what_is_asked(void **state)
{
	expect_ok(PAUSE("\"vm\":3,\"argument\":\"5000s\""), "for 30 s at most");
	expect_ok(PAUSE("\"vm\":3,\"argument\":\"5000s\""), "is paused already, for 30 s more");
	assert_int_equal(pauses(3), 1);
	advance(30 * NSEC_PER_SEC);
	assert_int_equal(pauses(3), 0);
	expect_ok(PAUSE("\"vm\":3"), "for 30 s at most");
}

static void a_killed_service_s_pauses_end(void **state)
{
	expect_ok(PAUSE("\"vm\":3,\"argument\":\"20s\""), "20 s");
	service_killed();
	assert_int_equal(pauses(3), 1);
	clock_advance(&t.clock, 5 * NSEC_PER_SEC);
	service_begin();
	assert_int_equal(pauses(3), 1);
	assert_true(service_deadline(t.service) == 1020 * NSEC_PER_SEC);
	service_killed();
	clock_advance(&t.clock, 15 * NSEC_PER_SEC);
	service_begin();
	assert_int_equal(pauses(3), 0);
}

static void a_service_that_stops_lets_go(void **state)
{
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	service_end();
	assert_int_equal(pauses(3), 0);
	service_begin();
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void another_guest_of_the_number_is_left_alone(void **state)
{
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	vms_fake_find(&t.fake, 3)->info.domid = 9; /* gone, for the number */
	vms_fake_add(&t.fake, 3, "new", 7)->pauses = 1;
	advance(30 * NSEC_PER_SEC);
	assert_int_equal(pauses(3), 1);
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void an_end_that_fails_is_tried_again(void **state)
{
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	t.fake.error = -EIO;
	advance(30 * NSEC_PER_SEC);
	assert_int_equal(pauses(3), 1);
	t.fake.error = 0;
	advance(NSEC_PER_SEC);
	assert_int_equal(pauses(3), 0);
}

static void pauses_of_others_stay(void **state)
{
	vms_fake_find(&t.fake, 3)->pauses = 1;
	vms_fake_find(&t.fake, 3)->info.paused = true;
	expect_refused(ask("{\"cmd\":\"unpause\",\"args\":{\"vm\":3}}"), "but by others");
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	assert_int_equal(pauses(3), 2);
	expect_ok(ask("{\"cmd\":\"unpause\",\"args\":{\"vm\":3}}"), "goes on");
	assert_int_equal(pauses(3), 1);
	/* And who unpauses what we paused is not undone. */
	vms_fake_find(&t.fake, 3)->pauses = 0;
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	vms_fake_find(&t.fake, 3)->pauses = 0;
	advance(30 * NSEC_PER_SEC);
	assert_int_equal(pauses(3), 0);
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void without_its_file_nobody_is_paused(void **state)
{
	assert_int_equal(mkdir(t.state, 0700), 0);
	expect_refused(PAUSE("\"vm\":3"), "cannot be written");
	assert_int_equal(pauses(3), 0);
	assert_int_equal(rmdir(t.state), 0);
	snprintf(t.argument, sizeof(t.argument), "%s.new", t.state);
	unlink(t.argument);
	t.fake.error = -EPERM;
	expect_refused(PAUSE("\"vm\":3"), "hypervisor");
	t.fake.error = 0;
	assert_true(service_deadline(t.service) == DEADLINE_NEVER);
}

static void what_is_not_allowed_is_refused(void **state)
{
	expect_refused(PAUSE("\"vm\":4"), "no section [vm GUEST]");
	expect_refused(PAUSE("\"vm\":4"), "db");
	assert_int_equal(pauses(4), 0);
	write_conf("[vm db]\nallow = migrate\n[vm *]\nallow = pause\n");
	expect_refused(PAUSE("\"vm\":4"), "section [vm db]");
	expect_refused(PAUSE("\"vm\":4"), "allows: migrate");
	write_conf("[vm " UUID_1 "]\nallow = pause\n");
	expect_ok(PAUSE("\"vm\":3"), "60 s");
	unlink(t.conf);
	expect_refused(PAUSE("\"vm\":3"), "no section");
	/* It may always be let go on. */
	expect_ok(ask("{\"cmd\":\"unpause\",\"args\":{\"vm\":3}}"), "goes on");
}

static void a_wrong_file_changes_nothing(void **state)
{
	write_conf("[vm *]\nallow = pause destroy\n");
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	expect_refused(PAUSE("\"vm\":4"), "vmctl.conf:2: allow: \\\"destroy\\\" is refused");
	write_conf("[vmctl]\nusers = nobody-at-all\n");
	expect_refused(PAUSE("\"vm\":4"), "users: \\\"nobody-at-all\\\" is refused");
	write_conf("[vm *]\nallow = pause\n");
	assert_int_equal(chmod(t.conf, 0666), 0);
	expect_refused(PAUSE("\"vm\":4"), "others can write it");
	assert_int_equal(chmod(t.conf, 0644), 0);
	expect_ok(PAUSE("\"vm\":4"), "60 s");
}

static void too_often_is_refused(void **state)
{
	for (int i = 0; i < 3; i++) {
		expect_ok(PAUSE("\"vm\":3"), "30 s");
		expect_ok(ask("{\"cmd\":\"unpause\",\"args\":{\"vm\":3}}"), "goes on");
	}
	expect_refused(PAUSE("\"vm\":3"), "too often");
	expect_refused(PAUSE("\"vm\":3"), "possible again in 20 s");
	assert_int_equal(pauses(3), 0);
	advance(20 * NSEC_PER_SEC);
	expect_ok(PAUSE("\"vm\":3"), "30 s");
}

static void jobs_go_to_the_helper(void **state)
{
	expect_ok(ask("{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"web1.save\"}}"),
		  "\"job\":1");
	assert_int_equal(t.verb, VMCTL_SAVE);
	assert_int_equal(t.domid, 3);
	assert_string_equal(t.argument, "/nonexistent/web1.save");
	assert_true(t.timeout_ns == 90 * NSEC_PER_SEC);
	/* One at a time for a guest. */
	expect_refused(PAUSE("\"vm\":3"), "job 1 (save) runs");
	expect_ok(ask("{\"cmd\":\"job\",\"args\":{\"job\":1}}"), "\"state\":\"running\"");
	service_job_done(t.service, 1, -EIO, "no space");
	expect_ok(ask("{\"cmd\":\"job\",\"args\":{\"job\":1}}"), "\"state\":\"failed\"");
	expect_ok(ask("{\"cmd\":\"job\",\"args\":{\"job\":1}}"), "no space");
	expect_ok(ask("{\"cmd\":\"migrate\",\"args\":{\"vm\":3,\"argument\":\"b.lan\"}}"),
		  "\"job\":2");
	assert_string_equal(t.argument, "b.lan");
	service_job_done(t.service, 2, 0, "migrate: done");
	expect_ok(ask("{\"cmd\":\"job\",\"args\":{\"job\":2}}"), "\"state\":\"done\"");
	expect_ok(ask("{\"cmd\":\"shutdown\",\"args\":{\"vm\":3}}"), "\"job\":3");
	assert_string_equal(t.argument, "(none)");
	expect_ok(ask("{\"cmd\":\"restore\",\"args\":{\"argument\":\"web2\"}}"), "\"job\":4");
	assert_int_equal(t.domid, VMCTL_NO_DOMID);
	expect_refused(ask("{\"cmd\":\"launch\",\"args\":{\"argument\":\"spare\"}}"),
		       "2 jobs run already");
	service_job_done(t.service, 3, 0, "");
	expect_ok(ask("{\"cmd\":\"launch\",\"args\":{\"argument\":\"spare\"}}"), "\"job\":5");
	assert_string_equal(t.argument, "/nonexistent/cfg/spare");
	expect_ok(ask("{\"cmd\":\"jobs\"}"), "\"job\":4");
	expect_refused(ask("{\"cmd\":\"job\",\"args\":{\"job\":6}}"), "no such job");
	service_job_done(t.service, 99, 0, "whose?");
}

static void a_job_that_cannot_start_has_failed(void **state)
{
	t.start_error = -EPIPE;
	expect_refused(ask("{\"cmd\":\"shutdown\",\"args\":{\"vm\":3}}"), "cannot be asked");
	expect_ok(ask("{\"cmd\":\"job\",\"args\":{\"job\":1}}"), "failed");
	t.start_error = 0;
	expect_ok(ask("{\"cmd\":\"shutdown\",\"args\":{\"vm\":3}}"), "running");
}

static void jobs_of_paused_and_ending_guests_are_refused(void **state)
{
	expect_ok(PAUSE("\"vm\":3"), "30 s");
	expect_refused(ask("{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"a\"}}"),
		       "unpause it for save");
	expect_ok(ask("{\"cmd\":\"unpause\",\"args\":{\"vm\":3}}"), "goes on");
	vms_fake_find(&t.fake, 3)->info.ending = true;
	expect_refused(PAUSE("\"vm\":3"), "has shut down");
	assert_int_equal(t.job, 0);
}

static void bad_questions_are_refused(void **state)
{
	static const struct {
		const char *line, *part;
	} bad[] = {
		{"{\"cmd\":\"pause\"}", "needs \\\"vm\\\""},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":0}}", "from 1 to 32751"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":32752}}", "from 1 to 32751"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":-1}}", "from 1 to 32751"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":\"web1\"}}", "from 1 to 32751"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":5}}", "there is no guest 5"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":3,\"argument\":7}}", "is a string"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":3,\"argument\":\"soon\"}}", "soon"},
		{"{\"cmd\":\"pause\",\"args\":{\"vm\":3,\"force\":1}}", "\\\"force\\\" is unknown"},
		{"{\"cmd\":\"list\",\"args\":{\"vm\":3}}", "takes no \\\"vm\\\""},
		{"{\"cmd\":\"unpause\",\"args\":{\"vm\":3,\"argument\":\"x\"}}", "takes no"},
		{"{\"cmd\":\"save\",\"args\":{\"vm\":3}}", "needs \\\"argument\\\": FILE"},
		{"{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"../x\"}}", "letter or digit"},
		{"{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"/etc/passwd\"}}", "refused"},
		{"{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"-c\"}}", "refused"},
		{"{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"a\\u0000b\"}}", "not JSON"},
		{"{\"cmd\":\"migrate\",\"args\":{\"vm\":3,\"argument\":\"-sh\"}}", "refused"},
		{"{\"cmd\":\"migrate\",\"args\":{\"vm\":3,\"argument\":\"evil.net\"}}",
		 "`migrate_to`"},
		{"{\"cmd\":\"restore\",\"args\":{\"argument\":\"db\"}}", "`restore`"},
		{"{\"cmd\":\"launch\",\"args\":{\"argument\":\"db\"}}", "`launch`"},
		{"{\"cmd\":\"destroy\",\"args\":{\"vm\":3}}", "unknown command"},
		{"{\"cmd\":\"job\",\"args\":{\"job\":\"1\"}}", "no such job"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_refused(ask(bad[i].line), bad[i].part);
	assert_int_equal(t.job, 0);
	assert_int_equal(pauses(3), 0);
}

static void a_file_is_not_written_over(void **state)
{
	char text[200];

	snprintf(text, sizeof(text), "[vm *]\nallow = save\n[vmctl]\nsave_dir = %s\n", t.dir);
	write_conf(text);
	expect_refused(ask("{\"cmd\":\"save\",\"args\":{\"vm\":3,\"argument\":\"vmctl.conf\"}}"),
		       "is there already");
}

static void names_are_shown_printable(void **state)
{
	snprintf(vms_fake_find(&t.fake, 3)->info.name, VMS_NAME_SIZE, "web\x1b[2J\xff");
	expect_ok(ask("{\"cmd\":\"list\"}"), "\"web?[2J?\"");
	expect_ok(PAUSE("\"vm\":3"), "(web?[2J?)");
	t.fake.error = -EIO;
	expect_refused(ask("{\"cmd\":\"list\"}"), "does not tell");
	expect_refused(PAUSE("\"vm\":3"), "does not tell");
	t.fake.error = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pause_ends_when_asked),
		TEST(a_pause_ends_by_itself),
		TEST(max_pause_bounds_what_is_asked),
		TEST(a_guest_stays_paused_until_the_last_reason_is_gone),
		TEST(who_gives_no_reason_ends_them_all),
		TEST(reasons_in_turn_are_one_pause),
		TEST(a_reason_whose_time_is_up_holds_nobody),
		TEST(a_pause_that_is_over_is_no_pause),
		TEST(a_reason_is_a_word),
		TEST(a_killed_service_s_pauses_end),
		TEST(a_service_that_stops_lets_go),
		TEST(another_guest_of_the_number_is_left_alone),
		TEST(an_end_that_fails_is_tried_again),
		TEST(pauses_of_others_stay),
		TEST(without_its_file_nobody_is_paused),
		TEST(what_is_not_allowed_is_refused),
		TEST(a_wrong_file_changes_nothing),
		TEST(too_often_is_refused),
		TEST(jobs_go_to_the_helper),
		TEST(a_job_that_cannot_start_has_failed),
		TEST(jobs_of_paused_and_ending_guests_are_refused),
		TEST(bad_questions_are_refused),
		TEST(a_file_is_not_written_over),
		TEST(names_are_shown_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
