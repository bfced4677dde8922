/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box_wire.h - what box.c asks of the xenbox daemon over DIR/box.sock (SOCK_SEQPACKET): one
 * request, one reply, descriptors beside it.
 *
 * Only what changes ownership goes this way; copies and events pass through shared memory
 * (machine.h). The first request of a connection is HELLO.
 */
#ifndef XB_XEN_BOX_WIRE_H
#define XB_XEN_BOX_WIRE_H

#include <stdint.h>

#define BOX_VERSION   1u
#define BOX_SOCKET    "box.sock"
#define BOX_PAGES_MAX 512u /**< references of one request */

enum box_op {
	BOX_OP_HELLO,	/**< arg[0] version, domid; reply: descriptor of the machine's memory */
	BOX_OP_FRAMES,	/**< domid; reply: value = generation, descriptor of its frames */
	BOX_OP_PIN,	/**< domid, refs[n] */
	BOX_OP_UNPIN,	/**< domid, refs[n] */
	BOX_OP_GRANT,	/**< domid = to whom, n pages, arg[0] writable; value = first reference */
	BOX_OP_UNGRANT, /**< arg[0] first reference, n */
	BOX_OP_HANDLE_OPEN,  /**< value = handle, descriptor to wait on */
	BOX_OP_HANDLE_CLOSE, /**< arg[0] handle */
	BOX_OP_WAKE_FD,	     /**< arg[0] handle; value = generation, descriptor to wake it */
	BOX_OP_EVT_ALLOC,    /**< arg[0] handle, domid; value = port */
	BOX_OP_EVT_BIND,     /**< arg[0] handle, domid, arg[1] remote port; value = port */
	BOX_OP_EVT_UNBIND,   /**< arg[0] handle, arg[1] port */
};

struct box_request {
	uint32_t op; /**< enum box_op */
	uint16_t domid;
	uint16_t n;
	uint32_t arg[2];
	uint32_t refs[BOX_PAGES_MAX];
};

struct box_reply {
	int32_t result; /**< 0 or -errno */
	uint32_t value;
};

#endif
