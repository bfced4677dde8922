/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbox-guest-usb-disk.c - a USB disk of the guest: read, written, checksummed. See
 * xenbox-guest-usb.h. */
#include "xenbox-guest-usb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/guest/usbdisk.h"
#include "util.h"

#define CHUNK (16 * USBDISK_COMMAND_BYTES)

/* A copy between a disk and a file. */
struct copy {
	struct guest *guest;
	const char *name; /* of the device, for messages */
	struct usbdisk *disk;
	int fd;		   /* of the file; -1 = none */
	int digest;	   /* to sha256sum; -1 = none */
	int digest_answer; /* and from it */
	pid_t digest_pid;
	bool write;
	uint64_t size, skip; /* bytes; size 0 = all */
	uint64_t done;
	uint64_t start_ns, told_ns;
	uint8_t *buffer;
};

static int open_disk(struct copy *copy)
{
	struct usbdev *dev = guest_device(copy->guest, copy->name);
	char error[200];
	int rc;

	if (!dev)
		return -ENODEV;
	rc = usbdisk_open(&copy->disk, dev, copy->guest->timeout_ns, error, sizeof(error));
	return rc < 0 ? guest_fail(rc, "disk %s: %s", copy->name, error) : 0;
}

static void tell(struct copy *copy)
{
	uint64_t now = clock_now(&clock_monotonic);
	char done[24], all[24];

	if (now - copy->told_ns < NSEC_PER_SEC / 4)
		return;
	copy->told_ns = now;
	guest_progress("%s: %s of %s, %.1f MB/s", copy->name, guest_size_text(copy->done, done),
		       guest_size_text(copy->size, all),
		       guest_rate(copy->done, now - copy->start_ns));
}

/* --- pieces --- */

static int file_all(int fd, uint8_t *data, size_t n, bool write_it)
{
	while (n > 0) {
		ssize_t part = write_it ? write(fd, data, n) : read(fd, data, n);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return part < 0 ? -errno : -ENODATA;
		data += part;
		n -= (size_t)part;
	}
	return 0;
}

static int from_disk(struct copy *copy, uint64_t lba, uint32_t blocks, uint32_t bytes)
{
	int rc = usbdisk_read(copy->disk, lba, blocks, copy->buffer);

	if (rc < 0)
		return guest_fail(rc,
				  "disk %s: block %" PRIu64 " cannot be read: %s (sense 0x%06x)",
				  copy->name, lba, strerror(-rc), usbdisk_sense(copy->disk));
	if (copy->digest >= 0 && file_all(copy->digest, copy->buffer, bytes, true) < 0)
		return guest_fail(-EIO, "sha256sum does not take the data");
	rc = copy->fd < 0 ? 0 : file_all(copy->fd, copy->buffer, bytes, true);
	return rc < 0 ? guest_fail(rc, "the file cannot be written: %s", strerror(-rc)) : 0;
}

static int to_disk(struct copy *copy, uint64_t lba, uint32_t blocks, uint32_t bytes)
{
	uint32_t block = usbdisk_info(copy->disk)->block_bytes;
	int rc;

	if (bytes < blocks * block) /* the last block keeps what is behind the file's end */
		rc = usbdisk_read(copy->disk, lba + blocks - 1, 1,
				  copy->buffer + (size_t)(blocks - 1) * block);
	else
		rc = 0;
	if (rc == 0)
		rc = file_all(copy->fd, copy->buffer, bytes, false);
	if (rc < 0)
		return guest_fail(rc, "the file cannot be read: %s", strerror(-rc));
	rc = usbdisk_write(copy->disk, lba, blocks, copy->buffer);
	if (rc < 0)
		return guest_fail(rc,
				  "disk %s: block %" PRIu64 " cannot be written: %s (sense 0x%06x)",
				  copy->name, lba, strerror(-rc), usbdisk_sense(copy->disk));
	return 0;
}

static int run_copy(struct copy *copy)
{
	const struct usbdisk_info *info = usbdisk_info(copy->disk);
	uint64_t all = info->n_blocks * info->block_bytes;
	char text[24];
	int rc = 0;

	if (copy->skip % info->block_bytes)
		return guest_fail(-EINVAL, "skip=%" PRIu64 ": must be a multiple of %u", copy->skip,
				  info->block_bytes);
	if (copy->skip > all || copy->size > all - copy->skip)
		return guest_fail(-ENOSPC, "disk %s has but %s", copy->name,
				  guest_size_text(all, text));
	if (!copy->write && copy->size == 0)
		copy->size = all - copy->skip;
	copy->buffer = xb_calloc(1, CHUNK);
	copy->start_ns = copy->told_ns = clock_now(&clock_monotonic);
	while (rc == 0 && copy->done < copy->size && !copy->guest->stop) {
		uint32_t bytes = (uint32_t)MIN(copy->size - copy->done, (uint64_t)CHUNK);
		uint32_t blocks = DIV_ROUND_UP(bytes, info->block_bytes);
		uint64_t lba = (copy->skip + copy->done) / info->block_bytes;

		rc = copy->write ? to_disk(copy, lba, blocks, bytes)
				 : from_disk(copy, lba, blocks, bytes);
		copy->done += rc == 0 ? bytes : 0;
		tell(copy);
	}
	if (rc == 0 && copy->write)
		rc = usbdisk_flush(copy->disk);
	free(copy->buffer);
	return copy->guest->stop ? -EINTR : rc;
}

static void report(struct copy *copy)
{
	const struct usbdisk_stats *stats = usbdisk_stats(copy->disk);
	uint64_t ns = clock_now(&clock_monotonic) - copy->start_ns;
	char text[24];

	guest_progress(NULL);
	printf("%s: %s %s in %.2f s, %.1f MB/s, %" PRIu64 " commands, %" PRIu64 " retries, %" PRIu64
	       " resets\n",
	       copy->name, guest_size_text(copy->done, text), copy->write ? "written" : "read",
	       (double)ns / NSEC_PER_SEC, guest_rate(copy->done, ns), stats->commands,
	       stats->retries, stats->resets);
	fflush(stdout);
}

static int start_digest(struct copy *copy)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		return guest_fail(-errno, "no pipe: %s", strerror(errno));
	copy->digest_pid = fork();
	if (copy->digest_pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execlp("sha256sum", "sha256sum", (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	copy->digest = to[1];
	copy->digest_answer = from[0];
	return copy->digest_pid < 0 ? guest_fail(-errno, "fork: %s", strerror(errno)) : 0;
}

/* The checksum, of what was read as a whole. */
static int end_digest(struct copy *copy, int rc)
{
	char text[65] = "";
	int status = 0;

	close(copy->digest);
	if (file_all(copy->digest_answer, (uint8_t *)text, 64, false) < 0 && rc == 0)
		rc = guest_fail(-EIO, "sha256sum does not answer");
	close(copy->digest_answer);
	waitpid(copy->digest_pid, &status, 0);
	if (rc == 0)
		printf("%s\n", text);
	return rc;
}

static int finish(struct copy *copy, int rc)
{
	if (copy->fd >= 0 && close(copy->fd) < 0 && rc == 0)
		rc = guest_fail(-errno, "the file cannot be written: %s", strerror(errno));
	if (rc == 0)
		report(copy);
	if (copy->digest >= 0)
		rc = end_digest(copy, rc);
	usbdisk_close(copy->disk);
	return rc;
}

/* --- commands --- */

static int copy_word(struct copy *copy, const char *word, bool *sha256)
{
	if (strncmp(word, "size=", 5) == 0 && !copy->write)
		return guest_parse_size("size", word + 5, &copy->size);
	if (strncmp(word, "skip=", 5) == 0)
		return guest_parse_size("skip", word + 5, &copy->skip);
	if (strcmp(word, "sha256") == 0 && !copy->write) {
		*sha256 = true;
		return 0;
	}
	if (copy->fd >= 0)
		return guest_fail(-EINVAL, "unexpected word %s", word);
	copy->fd = copy->write ? open(word, O_RDONLY | O_CLOEXEC)
			       : open(word, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return copy->fd < 0 ? guest_fail(-errno, "cannot open %s: %s", word, strerror(errno)) : 0;
}

static int file_size(struct copy *copy)
{
	struct stat st;

	if (copy->fd < 0)
		return guest_fail(-EINVAL, "write: wanted DEV FILE");
	if (fstat(copy->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return guest_fail(-EINVAL, "write: the file must be a regular one");
	copy->size = (uint64_t)st.st_size;
	return 0;
}

static int copy_command(struct guest *guest, int argc, char **argv, bool write_it)
{
	struct copy copy = {.guest = guest, .fd = -1, .digest = -1, .write = write_it};
	bool sha256 = false;
	int rc = 0;

	if (argc < 1)
		return guest_fail(-EINVAL, "%s: wanted DEV", write_it ? "write" : "read");
	copy.name = argv[0];
	for (int i = 1; i < argc && rc == 0; i++)
		rc = copy_word(&copy, argv[i], &sha256);
	if (rc == 0 && write_it)
		rc = file_size(&copy);
	if (rc == 0)
		rc = open_disk(&copy);
	if (rc == 0 && sha256)
		rc = start_digest(&copy);
	if (rc == 0)
		rc = run_copy(&copy);
	return finish(&copy, rc);
}

int guest_cmd_read(struct guest *guest, int argc, char **argv)
{
	return copy_command(guest, argc, argv, false);
}

int guest_cmd_write(struct guest *guest, int argc, char **argv)
{
	return copy_command(guest, argc, argv, true);
}

int guest_cmd_disk(struct guest *guest, int argc, char **argv)
{
	struct copy copy = {.guest = guest, .fd = -1, .digest = -1};
	const struct usbdisk_info *info;
	char text[24];
	int rc;

	if (argc != 1)
		return guest_fail(-EINVAL, "disk: wanted DEV");
	copy.name = argv[0];
	rc = open_disk(&copy);
	if (rc < 0)
		return rc;
	info = usbdisk_info(copy.disk);
	printf("%s: %s %s %s, %s, %" PRIu64 " blocks of %u bytes\n", copy.name, info->vendor,
	       info->product, info->revision,
	       guest_size_text(info->n_blocks * info->block_bytes, text), info->n_blocks,
	       info->block_bytes);
	usbdisk_close(copy.disk);
	return 0;
}
