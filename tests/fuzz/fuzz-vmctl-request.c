/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-vmctl-request.c - lines of questions to xenback-vmctl: whatever they are, xl is only asked
 * for what can be put into words, and in the end no guest stands still.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "tests/unit/vms-fake.h"
#include "tools/vmctl/command.h"
#include "tools/vmctl/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char conf[] = "[vm *]\nallow = pause save migrate shutdown\ntimes = 1000\n"
			   "[vmctl]\nsave_dir = /nonexistent\nrestore = *\nlaunch = *\n"
			   "migrate_to = *\njobs = 16\ntimes = 1000\n";

struct files {
	char dir[32], conf[64], paused[64];
};

static void drop_line(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static void make_files(struct files *files)
{
	FILE *file;

	log_set_sink(drop_line, NULL);
	strcpy(files->dir, "/tmp/fuzz-vmctl.XXXXXX");
	if (!mkdtemp(files->dir))
		abort();
	snprintf(files->conf, sizeof(files->conf), "%s/conf", files->dir);
	snprintf(files->paused, sizeof(files->paused), "%s/paused", files->dir);
	file = fopen(files->conf, "w");
	if (!file || fputs(conf, file) < 0 || fclose(file))
		abort();
}

static int start(void *ctx, uint64_t job, enum vmctl_verb verb, uint16_t domid,
		 const char *argument, uint64_t timeout_ns)
{
	struct command command;

	if (command_make(&command, "xl", verb, domid, argument) || !job || !timeout_ns)
		abort();
	return 0;
}

static void ask_lines(struct ctl *ctl, const char *text, size_t size)
{
	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t n = end ? (size_t)(end - text) : size;

		free(ctl_handle(ctl, text, n));
		n += end != NULL;
		text += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct files files;
	struct clock clock;
	struct vms_fake fake;
	struct service *service;
	struct ctl *ctl;
	struct service_config config = {.clock = &clock, .vms = &fake.vms, .start = start};

	make_files(&files);
	config.conf_path = files.conf;
	config.state_path = files.paused;
	clock_init_manual(&clock, 1000 * NSEC_PER_SEC);
	vms_fake_init(&fake);
	vms_fake_add(&fake, 3, "web1", 1);
	vms_fake_add(&fake, 4, "db\xff", 2);
	if (ctl_create(&ctl, NULL, NULL) || service_create(&service, &config))
		abort();
	service_register(service, ctl);
	ask_lines(ctl, (const char *)data, size);
	clock_advance(&clock, 60 * NSEC_PER_SEC);
	service_run(service);
	if (vms_fake_find(&fake, 3)->pauses || vms_fake_find(&fake, 4)->pauses ||
	    service_deadline(service) != DEADLINE_NEVER)
		abort();
	service_destroy(service);
	ctl_destroy(ctl);
	unlink(files.paused);
	unlink(files.conf);
	if (rmdir(files.dir))
		abort();
	return 0;
}
