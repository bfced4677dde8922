/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-xswire.c - requests to xenstored: [guest?, type, transaction, length / 2, payload]... */
#include "common/cursor.h"
#include "common/util.h"
#include "common/xen/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store *store = store_create();
	struct store_conn *conns[2] = {store_connect(store, 0), store_connect(store, 5)}, *conn;
	struct xsd_sockmsg hdr = {0};
	struct wire_reply reply;
	struct cursor c;

	store_introduce(store, 5);
	for (cursor_init(&c, data, size); cursor_left(&c) >= 4;) {
		conn = conns[cursor_u8(&c) & 1];
		hdr.type = cursor_u8(&c);
		hdr.tx_id = cursor_u8(&c);
		hdr.len = 2u * cursor_u8(&c);
		hdr.len = (uint32_t)MIN(hdr.len, cursor_left(&c));
		wire_request(conn, &hdr, (const char *)cursor_skip(&c, hdr.len), &reply);
		wire_event(conn, &reply);
	}
	store_destroy(store);
	return 0;
}
