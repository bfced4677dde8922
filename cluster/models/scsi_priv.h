/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scsi_priv.h - what scsi.c and scsi_pages.c share. Pure. */
#ifndef XB_SCSI_PRIV_H
#define XB_SCSI_PRIV_H

#include "scsi.h"

static inline uint16_t scsi_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t scsi_be32(const uint8_t *p)
{
	return (uint32_t)scsi_be16(p) << 16 | scsi_be16(p + 2);
}

static inline uint64_t scsi_be64(const uint8_t *p)
{
	return (uint64_t)scsi_be32(p) << 32 | scsi_be32(p + 4);
}

static inline void scsi_put32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void scsi_put64(uint8_t *p, uint64_t value)
{
	scsi_put32(p, (uint32_t)(value >> 32));
	scsi_put32(p + 4, (uint32_t)value);
}

/** The command fails with this sense. */
void scsi_refuse(struct scsi_disk *disk, struct scsi_command *command, uint32_t sense);
/** The first n bytes of command->reply go to the host, at most `allocated`. */
void scsi_reply(struct scsi_command *command, size_t n, size_t allocated);

/* Handlers of scsi_pages.c: what a disk tells about itself. */
void scsi_inquiry(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
void scsi_mode_sense(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
void scsi_request_sense(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
void scsi_report_luns(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
void scsi_read_capacity(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
void scsi_service_action(struct scsi_disk *disk, const uint8_t *cdb, struct scsi_command *command);
void scsi_format_capacities(struct scsi_disk *disk, const uint8_t *cdb,
			    struct scsi_command *command);

#endif
