/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - main of a fuzz target that is built without libFuzzer: feeds it every file of its
 * corpus and prints TAP.
 *
 * fuzz-NAME reads $XENBACK_SRC/tests/fuzz/corpus/NAME. A target without a corpus fails: it would
 * test nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The target gets a heap copy of exactly the file's size, so that sanitizers see each byte too far.
 */
static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;
	int err = -EIO;

	if (!file || fstat(fileno(file), &st))
		goto out;
	data = xb_calloc(1, (size_t)st.st_size);
	if (fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
		goto out;
	err = LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
out:
	free(data);
	if (file)
		fclose(file);
	return err;
}

int main(int argc, char **argv)
{
	const char *src = getenv("XENBACK_SRC"), *name = strstr(argv[0], "fuzz-");
	AUTO_FREE char *dir = NULL;
	struct dirent **entries;
	int n, n_failed = 0;

	/* The directory may have "fuzz-" in its name, too. */
	for (const char *next = name; next; next = strstr(next + 1, "fuzz-"))
		name = next;
	if (!src || !name) {
		printf("Bail out! XENBACK_SRC must name the source tree and the program must be "
		       "fuzz-NAME\n");
		return 1;
	}
	dir = xb_asprintf("%s/tests/fuzz/corpus/%s", src, name + strlen("fuzz-"));
	n = scandir(dir, &entries, not_hidden, alphasort);
	if (n <= 0) {
		printf("1..1\nnot ok 1 - no corpus in %s: %s\n", dir,
		       n ? strerror(errno) : "it is empty");
		return 1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = xb_asprintf("%s/%s", dir, entries[i]->d_name);
		int err;

		printf("# %s\n", entries[i]->d_name); /* known even when the next call crashes */
		fflush(stdout);
		err = replay_file(path);
		printf("%s %d - %s\n", err ? "not ok" : "ok", i + 1, entries[i]->d_name);
		n_failed += err != 0;
		free(entries[i]);
	}
	free(entries);
	return n_failed != 0;
}
