/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbfront-stub.c - see usbfront-stub.h. */
#include "usbfront-stub.h"

#include <errno.h>
#include <stdio.h>

#include "util.h"

/* --- the store --- */

void stub_write(struct stub *stub, const char *path, const char *value)
{
	assert_int_equal(
		stub->ops->store_write(stub->store, XEN_TXN_NONE, path, value, strlen(value)), 0);
}

static char *read_node(struct stub *stub, const char *path)
{
	char *value;

	return stub->ops->store_read(stub->store, XEN_TXN_NONE, path, &value, NULL) < 0 ? NULL
											: value;
}

void stub_expect(struct stub *stub, const char *path, const char *value)
{
	AUTO_FREE char *got = read_node(stub, path);

	if (!value) {
		assert_null(got);
		return;
	}
	if (!got)
		fail_msg("%s is missing, expected \"%s\"", path, value);
	assert_string_equal(got, value);
}

static uint32_t number(struct stub *stub, const char *path)
{
	AUTO_FREE char *value = read_node(stub, path);

	assert_non_null(value);
	return (uint32_t)strtoul(value, NULL, 10);
}

static void grant_dir(struct stub *stub, const char *path, uint32_t owner, uint32_t reader)
{
	struct xen_perm perms[] = {{.domid = owner}, {.domid = reader, .read = true}};

	assert_int_equal(stub->ops->store_mkdir(stub->store, XEN_TXN_NONE, path), 0);
	assert_int_equal(stub->ops->store_set_perms(stub->store, XEN_TXN_NONE, path, perms, 2), 0);
}

static void attach(struct stub *stub)
{
	grant_dir(stub, FRONT, STUB_DOMID, 0);
	grant_dir(stub, BACK, 0, STUB_DOMID);
	stub_write(stub, FRONT "/backend", BACK);
	stub_write(stub, FRONT "/backend-id", "0");
	stub_write(stub, FRONT "/state", "1");
	stub_write(stub, BACK "/usb-ver", "2");
	stub_write(stub, BACK "/num-ports", "4");
	stub_write(stub, BACK "/state", "1");
	stub_write(stub, BACK "/online", "1");
}

/* --- machine --- */

int stub_setup(void **state)
{
	struct stub *stub = calloc(1, sizeof(*stub));

	assert_int_equal(fake_create(&stub->fake), 0);
	stub->dom0 = fake_domain(stub->fake, 0);
	stub->domu = fake_domain(stub->fake, STUB_DOMID);
	stub->ops = stub->dom0->ops;
	assert_int_equal(stub->ops->store_open(stub->dom0, &stub->store), 0);
	assert_int_equal(stub->ops->gnt_open(stub->dom0, &stub->gnt), 0);
	assert_int_equal(stub->ops->evt_open(stub->dom0, &stub->evt), 0);
	attach(stub);
	*state = stub;
	return 0;
}

int stub_teardown(void **state)
{
	struct stub *stub = *state;

	stub_disconnect(stub);
	usbfront_destroy(stub->front);
	assert_int_equal(fake_mapped(stub->fake, STUB_DOMID), 0);
	assert_int_equal(fake_ports(stub->fake, STUB_DOMID), 0);
	stub->ops->store_close(stub->store);
	stub->ops->gnt_close(stub->gnt);
	stub->ops->evt_close(stub->evt);
	fake_destroy(stub->fake);
	free(stub);
	return 0;
}

/* --- the backend --- */

void stub_connect(struct stub *stub)
{
	uint32_t urb_ref = number(stub, FRONT "/urb-ring-ref");
	uint32_t conn_ref = number(stub, FRONT "/conn-ring-ref");

	stub_expect(stub, FRONT "/state", "4");
	assert_int_equal(stub->ops->gnt_map(stub->gnt, STUB_DOMID, &urb_ref, 1, &stub->urb_page),
			 0);
	assert_int_equal(stub->ops->gnt_map(stub->gnt, STUB_DOMID, &conn_ref, 1, &stub->conn_page),
			 0);
	assert_int_equal(
		ring_back_attach(&stub->urb, stub->urb_page, sizeof(struct usbif_urb_request)), 0);
	assert_int_equal(
		ring_back_attach(&stub->conn, stub->conn_page, sizeof(struct usbif_conn_response)),
		0);
	assert_int_equal(stub->ops->evt_bind(stub->evt, STUB_DOMID,
					     number(stub, FRONT "/event-channel"), &stub->port),
			 0);
	stub->connected = true;
	stub_write(stub, BACK "/state", "4");
}

void stub_disconnect(struct stub *stub)
{
	if (!stub->connected)
		return;
	stub->connected = false;
	stub->ops->evt_unbind(stub->evt, stub->port);
	assert_int_equal(stub->ops->gnt_unmap(stub->gnt, stub->urb_page, 1), 0);
	assert_int_equal(stub->ops->gnt_unmap(stub->gnt, stub->conn_page, 1), 0);
}

/* --- the frontend --- */

static void on_changed(void *ctx, enum usbfront_state state, const char *why)
{
	struct stub *stub = ctx;
	const char letter[2] = {*usbfront_state_name(state), '\0'};

	assert_true(why && *why);
	strncat(stub->states, state == USBFRONT_STATE_CLOSED ? "." : letter,
		sizeof(stub->states) - strlen(stub->states) - 1);
}

static void on_port(void *ctx, unsigned int port, enum usb_device_speed speed)
{
	struct stub *stub = ctx;
	size_t n = strlen(stub->ports);

	snprintf(stub->ports + n, sizeof(stub->ports) - n, "%u%c", port, "-LFH"[speed]);
}

void stub_front(struct stub *stub)
{
	stub->options.changed = on_changed;
	stub->options.port = on_port;
	stub->options.ctx = stub;
	assert_int_equal(usbfront_create(&stub->front, stub->domu, &stub->options), 0);
	stub_run(stub);
}

void stub_run(struct stub *stub)
{
	uint32_t ports[8];
	int n;

	while ((n = usbfront_run(stub->front)) > 0)
		;
	assert_int_equal(n, 0);
	n = stub->ops->evt_pending(stub->evt, ports, ARRAY_SIZE(ports));
	assert_true(n >= 0);
	stub->n_notified += (unsigned int)n;
	if (n > 0)
		assert_int_equal(stub->ops->evt_unmask(stub->evt, ports, (unsigned int)n), 0);
}

void stub_up(struct stub *stub)
{
	stub_write(stub, BACK "/state", "2");
	stub_front(stub);
	stub_connect(stub);
	stub_run(stub);
	assert_int_equal(usbfront_info(stub->front)->state, USBFRONT_STATE_RUNNING);
	stub->n_notified = 0; /* the first one comes from the binding */
}

/* --- data --- */

bool stub_take(struct stub *stub, struct usbif_urb_request *req)
{
	int n = ring_back_requests(&stub->urb);

	assert_true(n >= 0);
	if (n == 0) {
		ring_back_arm(&stub->urb, 1);
		return false;
	}
	ring_back_read(&stub->urb, stub->urb.req_cons++, req);
	return true;
}

static bool copy_part(struct stub *stub, const struct usbif_request_segment *seg, bool to_guest,
		      uint32_t at, void *local, uint32_t bytes)
{
	struct xen_copy copy = {.len = (uint16_t)bytes,
				.flags = to_guest ? XEN_COPY_DST_GREF : XEN_COPY_SRC_GREF};
	union xen_copy_ptr guest = {.foreign = {seg->gref, (uint16_t)(seg->offset + at),
						STUB_DOMID}},
			   ours = {.virt = local};

	copy.src = to_guest ? ours : guest;
	copy.dst = to_guest ? guest : ours;
	return stub->ops->gnt_copy(stub->gnt, &copy, 1) == 0 && copy.status == XEN_GNTST_OKAY;
}

bool stub_copy(struct stub *stub, const struct usbif_urb_request *req, unsigned int first,
	       bool to_guest, uint32_t at, void *buf, uint32_t bytes)
{
	uint8_t *local = buf;

	for (unsigned int i = first; i < USBIF_MAX_SEGMENTS_PER_REQUEST && bytes > 0; i++) {
		const struct usbif_request_segment *seg = &req->seg[i];
		uint32_t part;

		if (at >= seg->length) {
			at -= seg->length;
			continue;
		}
		part = MIN(bytes, seg->length - at);
		if (!copy_part(stub, seg, to_guest, at, local, part))
			return false;
		local += part;
		bytes -= part;
		at = 0;
	}
	return bytes == 0;
}

static void push(struct stub *stub, struct ring_back *ring)
{
	if (ring_back_push(ring))
		stub->ops->evt_notify(stub->evt, stub->port);
}

void stub_answer(struct stub *stub, uint16_t id, int32_t status, int32_t actual, int32_t errors)
{
	struct usbif_urb_response rsp = {
		.id = id, .status = status, .actual_length = actual, .error_count = errors};

	ring_back_respond(&stub->urb, &rsp, sizeof(rsp));
	push(stub, &stub->urb);
}

void stub_event(struct stub *stub, uint8_t port, uint8_t speed)
{
	struct usbif_conn_response rsp = {.portnum = port, .speed = speed};
	struct usbif_conn_request req;
	uint8_t slot[sizeof(rsp)];

	assert_true(ring_back_requests(&stub->conn) > 0);
	ring_back_read(&stub->conn, stub->conn.req_cons++, slot);
	memcpy(&req, slot, sizeof(req));
	rsp.id = req.id;
	ring_back_respond(&stub->conn, &rsp, sizeof(rsp));
	push(stub, &stub->conn);
}
