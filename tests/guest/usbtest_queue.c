/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbtest_queue.c - source/sink tests with many URBs at once: unlinks, speed, isochronous. See
 * usbtest.h. */
#include "usbtest_priv.h"

#include <errno.h>
#include <string.h>

#include "usbiso.h"
#include "util.h"

#define QUEUE_URBS 32u
#define ISO_URBS   8u

struct queue {
	struct ut *t;
	struct usbfront_urb urbs[QUEUE_URBS];
	unsigned int n;
	uint64_t left; /**< URBs that are still to be sent again */
	int status;    /**< of the first that failed */
	unsigned int out_of_order, last;
};

static void make_queue(struct queue *q, struct ut *t, unsigned int n, uint32_t length,
		       void (*done)(struct usbfront_urb *urb))
{
	memset(q, 0, sizeof(*q));
	q->t = t;
	q->n = MIN(n, QUEUE_URBS);
	q->n = MIN(q->n, UT_BUFFER / length);
	for (unsigned int i = 0; i < q->n; i++) {
		uint8_t *data = t->data + (size_t)i * length;

		if (!(t->endpoint->address & USB_DIR_IN))
			ut_fill(t, data, length);
		usbdev_urb_init(t->dev, &q->urbs[i], t->endpoint->address, data, length);
		q->urbs[i].done = done;
		q->urbs[i].ctx = q;
	}
}

static int send_queue(struct queue *q)
{
	int rc = 0;

	for (unsigned int i = 0; i < q->n && rc == 0; i++)
		rc = usbfront_submit(q->t->front, &q->urbs[i]);
	if (rc < 0)
		usbdev_cancel(q->t->bus, q->urbs, q->n);
	return rc;
}

/* --- cases 11, 12: one URB, asked back at once --- */

static void ignore(struct usbfront_urb *urb)
{
	(void)urb;
}

int ut_unlink(struct ut *t)
{
	uint32_t length = ut_length(t, t->options.length);
	struct queue q;
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		make_queue(&q, t, 1, length, ignore);
		rc = send_queue(&q);
		if (i % 2 && rc == 0) /* the other side may have it already */
			rc = usbfront_run(t->front) < 0 ? -EIO : 0;
		if (rc == 0)
			rc = usbdev_cancel(t->bus, q.urbs, 1);
		if (rc < 0)
			return ut_fail(t, rc, "unlink %u", i);
		t->result->bytes += q.urbs[0].actual;
		if (q.urbs[0].status != -ECONNRESET && q.urbs[0].status != 0)
			return ut_fail(t, q.urbs[0].status, "unlink %u: ended otherwise", i);
	}
	return ut_once(t, length); /* the pipe still works */
}

/* --- case 24: some of a queue --- */

static void note_order(struct usbfront_urb *urb)
{
	struct queue *q = urb->ctx;
	unsigned int i = (unsigned int)(urb - q->urbs);

	if (urb->status == -ECONNRESET)
		return;
	q->out_of_order += i < q->last;
	q->last = i;
}

static bool asked_back(const struct queue *q, unsigned int i)
{
	return i + 4 == q->n || i + 2 == q->n;
}

static int unlink_some(struct ut *t, unsigned int n)
{
	struct queue q;
	int rc;

	make_queue(&q, t, n, ut_length(t, t->options.length), note_order);
	rc = send_queue(&q);
	for (unsigned int i = 0; i < q.n && rc == 0; i++)
		if (asked_back(&q, i))
			usbfront_unlink(t->front, &q.urbs[i]);
	if (rc == 0)
		rc = usbdev_finish(t->bus, q.urbs, q.n, ut_deadline(t));
	if (rc < 0)
		return ut_fail(t, rc, "a queue of %u with two unlinked", q.n);
	if (q.out_of_order)
		return ut_fail(t, -EILSEQ, "a queue of %u with two unlinked: out of order", q.n);
	for (unsigned int i = 0; i < q.n; i++) {
		const struct usbfront_urb *urb = &q.urbs[i];
		bool back = asked_back(&q, i) && urb->status == -ECONNRESET;

		t->result->bytes += urb->actual;
		if (!back && (urb->status < 0 || urb->actual != urb->length))
			return ut_fail(t, urb->status ? urb->status : -EREMOTEIO,
				       "URB %u of %u, which nobody asked back, %u of %u bytes", i,
				       q.n, urb->actual, urb->length);
	}
	return 0;
}

int ut_unlink_queued(struct ut *t)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++)
		rc = unlink_some(t, 4 + i % (QUEUE_URBS - 4));
	return rc;
}

/* --- cases 27, 28: as much as goes --- */

static void send_again(struct usbfront_urb *urb)
{
	struct queue *q = urb->ctx;

	q->t->result->bytes += urb->actual;
	if (urb->status == 0 && urb->actual != urb->length)
		urb->status = -EREMOTEIO;
	if (urb->status < 0 && q->status == 0)
		q->status = urb->status;
	if (q->status < 0 || q->left == 0)
		return;
	if (usbfront_submit(q->t->front, urb) == 0)
		q->left--;
}

int ut_speed(struct ut *t)
{
	struct queue q;
	int rc;

	make_queue(&q, t, t->options.n_pieces, ut_length(t, t->options.length), send_again);
	q.left = (uint64_t)t->options.iterations * t->options.n_pieces;
	q.left -= MIN(q.left, q.n);
	rc = send_queue(&q);
	if (rc == 0)
		rc = usbdev_finish(t->bus, q.urbs, q.n, ut_deadline(t));
	if (rc == 0)
		rc = q.status;
	return rc < 0 ? ut_fail(t, rc, "a queue of %u", q.n) : 0;
}

/* --- cases 15, 16, 22, 23 --- */

int ut_iso(struct ut *t)
{
	uint32_t packet = (uint32_t)t->endpoint->max_packet * t->endpoint->per_frame;
	struct usbiso_options options = {.endpoint = t->endpoint->address,
					 .n_urbs = 4,
					 .n_packets = ISO_URBS,
					 .packet_bytes = packet,
					 .offset = t->offset,
					 .pattern = t->options.pattern,
					 .duration_ns = t->options.timeout_ns,
					 .max_urbs = t->options.iterations};
	struct usbiso_result iso;
	int rc = usbiso_run(t->dev, &options, &iso);

	t->result->bytes = iso.bytes;
	if (rc < 0)
		return ut_fail(t, rc, "stream of %u byte packets", packet);
	if (iso.status < 0)
		return ut_fail(t, iso.status, "URB of a stream");
	if (iso.wrong)
		return ut_fail(t, -EILSEQ, "%llu packets of %llu with wrong bytes",
			       (unsigned long long)iso.wrong, (unsigned long long)iso.packets);
	if (iso.lost || iso.urbs < t->options.iterations)
		return ut_fail(t, -EILSEQ, "%llu packets of %llu lost, %llu URBs of %u",
			       (unsigned long long)iso.lost, (unsigned long long)iso.packets,
			       (unsigned long long)iso.urbs, t->options.iterations);
	return 0;
}
