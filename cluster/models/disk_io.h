/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk_io.h - a thread that reads and writes one file, one operation at a time.
 *
 * What needs no waiting is done at once: reads that the page cache can answer, everything on a file
 * system in memory. All else is handed over; the end is told by a descriptor that becomes readable.
 */
#ifndef XB_DISK_IO_H
#define XB_DISK_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_io;

/** Takes over fd, also on failure; 0 or -errno. */
int disk_io_create(struct disk_io **out, int fd);
/** Waits for the operation that runs. */
void disk_io_destroy(struct disk_io *io);
/** Becomes readable when an operation has ended; then call disk_io_result. */
int disk_io_fd(const struct disk_io *io);

/**
 * Each: 0 done, -EINPROGRESS: it runs (data belongs to the thread until disk_io_result), other
 * -errno: failed. Never while one runs. A file that ends within a read fails with -EIO.
 */
int disk_io_read(struct disk_io *io, uint8_t *data, size_t n, uint64_t offset);
/** Reads by the thread in any case. */
int disk_io_check(struct disk_io *io, uint8_t *data, size_t n, uint64_t offset);
/** through: to the medium (RWF_DSYNC). */
int disk_io_write(struct disk_io *io, const uint8_t *data, size_t n, uint64_t offset, bool through);
/** fdatasync. */
int disk_io_sync(struct disk_io *io);

/** True when the operation has ended: its result in *rc. */
bool disk_io_result(struct disk_io *io, int *rc);

#endif
