/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbus.c - the table of xenbus.h. Pure: backend.c reads the nodes, asks here, performs the
 * answer.
 *
 * Theory of Operation
 * Both ends of a device have a `state` node; each writes only its own and reacts to the other's.
 * `rules` says what the pair (ours, theirs) asks for while the device is online; rule_of() says
 * what differs once the toolstack took it offline; step_of() turns the rule into an action and a
 * state, given whether we hold the rings. Three laws stand behind the table:
 *
 * 1. A frontend that writes Closing or Closed gets an answer, from every state of ours: Linux waits
 *    in its remove path and Windows spins with the whole guest until it comes. Closed answers
 * Closed only, after a visible Closing: a guest that boots a crash kernel waits for each of the
 * two.
 * 2. A Connected frontend whose backend died is taken over as it stands (ADOPT): closing it would
 *    end the guest's network.
 * 3. An offline device ends at Closed and stays there: the toolstack waits to read exactly that.
 *
 * Time is not here: the scanner shows a frontend that did not close within its grace as Closed.
 */
#include "xenbus.h"

#include <stddef.h>

#include "util.h"

/* What a pair of states asks for. */
enum rule {
	RULE_CLOSE,  /* end the rings, go to Closing */
	RULE_OPEN,   /* publish, go to InitWait */
	RULE_WAIT,   /* in InitWait: the frontend has to act */
	RULE_JOIN,   /* in InitWait: the frontend is ready */
	RULE_RUN,    /* rings run; a frontend that is not ready to be adopted is closed */
	RULE_TAKE,   /* rings run, also those of a dead predecessor */
	RULE_RETURN, /* as TAKE, and back from Reconfigured to Connected */
	RULE_CHANGE, /* the frontend changed what may change live */
	RULE_HALT,   /* in Closing: end the rings, the frontend has to write Closed */
	RULE_LINGER, /* in Closing: the frontend has not reacted yet */
	RULE_END,    /* in Closing: end the rings, go to Closed */
	RULE_REST,   /* in Closed: end the rings, stay */
};

#define ROW(f0, f1, f2, f3, f4, f5, f6, f7, f8)                                                    \
	{                                                                                          \
		RULE_##f0, RULE_##f1, RULE_##f2, RULE_##f3, RULE_##f4, RULE_##f5, RULE_##f6,       \
			RULE_##f7, RULE_##f8                                                       \
	}

/*
 * Online devices: row = our state, column = the frontend's. Rows 0 and 7: the node holds no state,
 * or one that we never write: start over.
 */
/* clang-format off */
static const unsigned char rules[XENBUS_STATE_COUNT][XENBUS_STATE_COUNT] = {
	/*      frontend:          0      1      2       3       4       5      6      7       8 */
	/* 0 no state      */ ROW(CLOSE, CLOSE, CLOSE,  CLOSE,  CLOSE,  CLOSE, CLOSE, CLOSE,  CLOSE),
	/* 1 Initialising  */ ROW(CLOSE, OPEN,  OPEN,   OPEN,   OPEN,   CLOSE, CLOSE, OPEN,   OPEN),
	/* 2 InitWait      */ ROW(CLOSE, WAIT,  WAIT,   WAIT,   JOIN,   CLOSE, CLOSE, WAIT,   WAIT),
	/* 3 Initialised   */ ROW(CLOSE, OPEN,  OPEN,   OPEN,   OPEN,   CLOSE, CLOSE, OPEN,   OPEN),
	/* 4 Connected     */ ROW(CLOSE, CLOSE, RUN,    RUN,    TAKE,   CLOSE, CLOSE, CHANGE, RUN),
	/* 5 Closing       */ ROW(END,   END,   LINGER, LINGER, LINGER, HALT,  END,   LINGER, LINGER),
	/* 6 Closed        */ ROW(REST,  OPEN,  REST,   REST,   REST,   CLOSE, REST,  REST,   REST),
	/* 7 Reconfiguring */ ROW(CLOSE, CLOSE, CLOSE,  CLOSE,  CLOSE,  CLOSE, CLOSE, CLOSE,  CLOSE),
	/* 8 Reconfigured  */ ROW(CLOSE, CLOSE, RUN,    RUN,    RETURN, CLOSE, CLOSE, TAKE,   RUN),
};
/* clang-format on */

static enum rule rule_of(const struct xenbus_input *in)
{
	enum rule rule = rules[in->backend][in->frontend];

	if (in->online)
		return rule;
	if (in->backend == XENBUS_STATE_CLOSED)
		return RULE_REST;
	return in->backend == XENBUS_STATE_CLOSING ? rule : RULE_CLOSE;
}

static struct xenbus_step step(enum xenbus_action action, enum xenbus_state next,
			       const char *reason)
{
	return (struct xenbus_step){.action = action, .next = next, .reason = reason};
}

static enum xenbus_action disconnect(const struct xenbus_input *in)
{
	return in->connected ? XENBUS_ACTION_DISCONNECT : XENBUS_ACTION_NONE;
}

static const char *why_close(const struct xenbus_input *in)
{
	if (!in->online)
		return "the toolstack takes the device away";
	switch (in->frontend) {
	case XENBUS_STATE_MISSING:
		return "the guest's end is gone";
	case XENBUS_STATE_INITIALISING:
		return "the guest's driver started anew without closing";
	case XENBUS_STATE_CLOSING:
		return "the guest's driver closes";
	case XENBUS_STATE_CLOSED:
		return "the guest's driver closed";
	case XENBUS_STATE_INIT_WAIT:
	case XENBUS_STATE_INITIALISED:
	case XENBUS_STATE_CONNECTED:
	case XENBUS_STATE_RECONFIGURING:
	case XENBUS_STATE_RECONFIGURED:
		return "our state node holds what we did not write";
	}
	return "unknown";
}

static struct xenbus_step step_close(const struct xenbus_input *in)
{
	/* The guest still uses it: rings run until it reacts, so that its last packets leave. */
	if (!in->online && xenbus_frontend_lives(in->frontend))
		return step(XENBUS_ACTION_NONE, XENBUS_STATE_CLOSING, why_close(in));
	return step(disconnect(in), XENBUS_STATE_CLOSING, why_close(in));
}

static struct xenbus_step step_open(const struct xenbus_input *in)
{
	/* Rings of a directory that was removed and made anew under the same name. */
	if (in->connected)
		return step(XENBUS_ACTION_DISCONNECT, in->backend, "the device was made anew");
	return step(XENBUS_ACTION_PUBLISH, XENBUS_STATE_INIT_WAIT,
		    "the device is new or starts over");
}

static struct xenbus_step step_wait(const struct xenbus_input *in)
{
	if (in->connected)
		return step(XENBUS_ACTION_DISCONNECT, in->backend,
			    "the guest's driver started over");
	if (!in->ours) /* our features may differ from those of the program that was here before */
		return step(XENBUS_ACTION_PUBLISH, in->backend,
			    "taken over before the guest connected");
	return step(XENBUS_ACTION_NONE, in->backend, "the guest's driver has not connected yet");
}

static struct xenbus_step step_join(const struct xenbus_input *in)
{
	if (in->connected) /* the rings were bound, but the store refused the state */
		return step(XENBUS_ACTION_NONE, XENBUS_STATE_CONNECTED, "the rings are bound");
	if (!in->hotplug_ok)
		return step(XENBUS_ACTION_NONE, in->backend, "the hotplug script has not finished");
	return step(XENBUS_ACTION_CONNECT, XENBUS_STATE_CONNECTED, "the guest's driver is ready");
}

static struct xenbus_step step_run(const struct xenbus_input *in, bool take)
{
	if (in->connected)
		return step(XENBUS_ACTION_NONE, in->backend, "the device runs");
	if (take && !in->ours)
		return step(XENBUS_ACTION_ADOPT, in->backend, "left running by our predecessor");
	return step(XENBUS_ACTION_NONE, XENBUS_STATE_CLOSING,
		    "connected by name, but nobody holds the rings");
}

static struct xenbus_step step_linger(const struct xenbus_input *in)
{
	if (in->connected || !in->online)
		return step(XENBUS_ACTION_NONE, in->backend,
			    "the guest's driver has not reacted to Closing");
	return step(XENBUS_ACTION_NONE, XENBUS_STATE_CLOSED, "the device failed");
}

static struct xenbus_step step_of(const struct xenbus_input *in)
{
	switch (rule_of(in)) {
	case RULE_CLOSE:
		return step_close(in);
	case RULE_OPEN:
		return step_open(in);
	case RULE_WAIT:
		return step_wait(in);
	case RULE_JOIN:
		return step_join(in);
	case RULE_RUN:
		return step_run(in, false);
	case RULE_TAKE:
		return step_run(in, true);
	case RULE_RETURN:
		if (in->connected)
			return step(XENBUS_ACTION_NONE, XENBUS_STATE_CONNECTED, "reconfigured");
		return step_run(in, true);
	case RULE_CHANGE:
		if (in->connected)
			return step(XENBUS_ACTION_RECONFIGURE, XENBUS_STATE_RECONFIGURED,
				    "the guest's driver changes its settings");
		return step_run(in, true);
	case RULE_HALT:
		return step(disconnect(in), in->backend, "the guest's driver closes");
	case RULE_LINGER:
		return step_linger(in);
	case RULE_END:
		return step(disconnect(in), XENBUS_STATE_CLOSED, "the guest's end is closed");
	case RULE_REST:
		return step(disconnect(in), in->backend, "closed");
	}
	return step(XENBUS_ACTION_NONE, in->backend, "unknown");
}

struct xenbus_step xenbus_next(const struct xenbus_input *in)
{
	struct xenbus_input after = *in;
	struct xenbus_step now, then;

	if (!in->exists)
		return step(XENBUS_ACTION_FORGET, in->backend, "the toolstack removed the device");
	now = step_of(in);
	after.backend = now.next;
	after.ours = in->ours || now.action != XENBUS_ACTION_NONE || now.next != in->backend;
	if (now.action == XENBUS_ACTION_CONNECT || now.action == XENBUS_ACTION_ADOPT)
		after.connected = true;
	if (now.action == XENBUS_ACTION_DISCONNECT)
		after.connected = false;
	then = step_of(&after);
	now.again = then.action != XENBUS_ACTION_NONE || then.next != after.backend;
	return now;
}

static const char *explain_closed(const struct xenbus_input *in)
{
	if (!in->online)
		return "closed; waiting for the toolstack to remove the device";
	if (in->frontend == XENBUS_STATE_MISSING)
		return "closed; waiting for the toolstack to remove the device: the guest's end is "
		       "gone";
	if (xenbus_frontend_lives(in->frontend))
		return "closed after an error; waiting for the guest to close and start its driver "
		       "again";
	return "closed; waiting for the guest to start its driver";
}

const char *xenbus_explain(const struct xenbus_input *in)
{
	if (!in->exists)
		return "removed by the toolstack";
	switch (in->backend) {
	case XENBUS_STATE_MISSING:
	case XENBUS_STATE_RECONFIGURING:
		return "our state node holds what we did not write; closing";
	case XENBUS_STATE_INITIALISING:
	case XENBUS_STATE_INITIALISED:
		return "new; not yet served";
	case XENBUS_STATE_INIT_WAIT:
		if (in->frontend != XENBUS_STATE_CONNECTED)
			return "waiting for the guest to load its driver and connect";
		return in->hotplug_ok ? "connecting" : "waiting for the hotplug script to finish";
	case XENBUS_STATE_CONNECTED:
	case XENBUS_STATE_RECONFIGURED:
		return in->connected ? "running" : "waiting to take the rings over";
	case XENBUS_STATE_CLOSING:
		return "waiting for the guest to close";
	case XENBUS_STATE_CLOSED:
		return explain_closed(in);
	}
	return "unknown";
}

bool xenbus_frontend_lives(enum xenbus_state frontend)
{
	switch (frontend) {
	case XENBUS_STATE_MISSING:
	case XENBUS_STATE_INITIALISING:
	case XENBUS_STATE_CLOSING:
	case XENBUS_STATE_CLOSED:
		return false;
	case XENBUS_STATE_INIT_WAIT:
	case XENBUS_STATE_INITIALISED:
	case XENBUS_STATE_CONNECTED:
	case XENBUS_STATE_RECONFIGURING:
	case XENBUS_STATE_RECONFIGURED:
		return true;
	}
	return false;
}

const char *xenbus_state_name(enum xenbus_state state)
{
	static const char *const names[XENBUS_STATE_COUNT] = {
		"missing", "Initialising", "InitWait",	    "Initialised",  "Connected",
		"Closing", "Closed",	   "Reconfiguring", "Reconfigured",
	};

	return (unsigned int)state < ARRAY_SIZE(names) ? names[state] : "?";
}

enum xenbus_state xenbus_state_parse(const char *value)
{
	if (value == NULL || value[0] < '0' || value[0] > '8' || value[1] != '\0')
		return XENBUS_STATE_MISSING;
	return (enum xenbus_state)(value[0] - '0');
}
