/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.c - see wire.h. A request's payload is strings with their NULs, and bytes to its end for a
 * value. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/** Arguments of a request that are left. */
struct args {
	const char *at;
	size_t left;
};

struct request {
	struct store_conn *conn;
	xen_txn txn;
	struct args args;
	struct wire_reply *out;
};

/* The next string, or NULL: there is none that ends. */
static const char *next_string(struct args *args)
{
	const char *text = args->at;
	const char *end = args->left ? memchr(text, '\0', args->left) : NULL;

	if (!end)
		return NULL;
	args->left -= (size_t)(end + 1 - text);
	args->at = end + 1;
	return text;
}

/* The only string. */
static const char *single_string(struct args *args)
{
	const char *text = next_string(args);

	return args->left == 0 ? text : NULL;
}

static int parse_u32(const char *text, uint32_t max, uint32_t *value)
{
	unsigned long long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end != '\0' || number > max)
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

static int parse_domid(struct args *args, uint16_t *domid)
{
	uint32_t value;

	if (parse_u32(next_string(args), STORE_DOMID_MAX, &value))
		return -EINVAL;
	*domid = (uint16_t)value;
	return 0;
}

/* --- replies --- */

static int reply_bytes(struct request *r, const void *bytes, size_t len)
{
	struct wire_reply *out = r->out;

	if (len > XENSTORE_PAYLOAD_MAX - out->hdr.len)
		return -E2BIG;
	memcpy(out->payload + out->hdr.len, bytes, len);
	out->hdr.len += (uint32_t)len;
	return 0;
}

static int reply_string(struct request *r, const char *text)
{
	return reply_bytes(r, text, strlen(text) + 1);
}

static void reply_error(struct request *r, int error)
{
	const char *name = "EINVAL";

	for (size_t i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == error)
			name = xsd_errors[i].errstring;
	r->out->hdr.type = XS_ERROR;
	r->out->hdr.len = 0;
	reply_string(r, name);
}

int wire_errno(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (!strcmp(xsd_errors[i].errstring, name))
			return xsd_errors[i].errnum;
	return EINVAL;
}

size_t wire_perm_format(const struct xen_perm *perm, char text[WIRE_PERM_MAX])
{
	char letter = "nrwb"[perm->read + 2 * perm->write];

	return (size_t)snprintf(text, WIRE_PERM_MAX, "%c%u", letter, perm->domid) + 1;
}

int wire_perm_parse(const char *text, struct xen_perm *perm)
{
	const char *letter = *text ? strchr("nrwb", *text) : NULL;

	if (!letter || parse_u32(text + 1, STORE_DOMID_MAX, &perm->domid))
		return -EINVAL;
	perm->read = *letter == 'r' || *letter == 'b';
	perm->write = *letter == 'w' || *letter == 'b';
	return 0;
}

/* --- requests that read: their reply is data --- */

static int do_read(struct request *r)
{
	const char *path = single_string(&r->args);
	AUTO_FREE char *value = NULL;
	size_t len;
	int rc = path ? store_read(r->conn, r->txn, path, &value, &len) : -EINVAL;

	return rc ? rc : reply_bytes(r, value, len);
}

static int do_directory(struct request *r)
{
	const char *path = single_string(&r->args);
	AUTO_FREE char **names = NULL;
	unsigned int n = 0;
	int rc = path ? store_list(r->conn, r->txn, path, &names, &n) : -EINVAL;

	for (unsigned int i = 0; i < n && rc == 0; i++)
		rc = reply_string(r, names[i]);
	return rc;
}

/* The node's generation, names from a byte offset into their list on, and an empty one behind the
 * last. */
static int do_directory_part(struct request *r)
{
	const char *path = next_string(&r->args);
	uint32_t offset;
	AUTO_FREE char **names = NULL;
	unsigned int n = 0, i = 0;
	uint64_t generation;
	char text[24];
	int rc;

	if (!path || parse_u32(single_string(&r->args), UINT32_MAX, &offset))
		return -EINVAL;
	rc = store_node_generation(r->conn, r->txn, path, &generation);
	if (rc == 0)
		rc = store_list(r->conn, r->txn, path, &names, &n);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)generation);
	reply_string(r, text);
	/* One allocation holds the names one after the other. */
	while (i < n && (size_t)(names[i] - names[0]) < offset)
		i++;
	while (i < n && r->out->hdr.len + strlen(names[i]) + 1 < XENSTORE_PAYLOAD_MAX)
		reply_string(r, names[i++]);
	return i == n ? reply_string(r, "") : 0;
}

static int do_get_perms(struct request *r)
{
	const char *path = single_string(&r->args);
	AUTO_FREE struct xen_perm *perms = NULL;
	char text[WIRE_PERM_MAX];
	unsigned int n = 0;
	int rc = path ? store_get_perms(r->conn, r->txn, path, &perms, &n) : -EINVAL;

	for (unsigned int i = 0; i < n && rc == 0; i++)
		rc = reply_bytes(r, text, wire_perm_format(&perms[i], text));
	return rc;
}

static int do_transaction_start(struct request *r)
{
	char text[16];
	xen_txn txn;
	int rc = r->txn == XEN_TXN_NONE ? store_txn_start(r->conn, &txn) : -EBUSY;

	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%u", txn);
	return reply_string(r, text);
}

static int do_get_domain_path(struct request *r)
{
	char text[32];
	uint16_t domid;

	if (parse_domid(&r->args, &domid) || r->args.left)
		return -EINVAL;
	snprintf(text, sizeof(text), "/local/domain/%u", domid);
	return reply_string(r, text);
}

static int do_is_introduced(struct request *r)
{
	uint16_t domid;

	if (parse_domid(&r->args, &domid) || r->args.left)
		return -EINVAL;
	return reply_string(r, store_introduced(store_conn_store(r->conn), domid) ? "T" : "F");
}

/* --- requests that change: their reply is "OK" --- */

static int do_write(struct request *r)
{
	const char *path = next_string(&r->args);

	return path ? store_write(r->conn, r->txn, path, r->args.at, r->args.left) : -EINVAL;
}

static int do_mkdir(struct request *r)
{
	const char *path = single_string(&r->args);

	return path ? store_mkdir(r->conn, r->txn, path) : -EINVAL;
}

static int do_rm(struct request *r)
{
	const char *path = single_string(&r->args);

	return path ? store_rm(r->conn, r->txn, path) : -EINVAL;
}

static int do_set_perms(struct request *r)
{
	const char *path = next_string(&r->args), *text;
	struct xen_perm perms[STORE_PERMS_MAX];
	unsigned int n = 0;

	while (r->args.left) {
		text = next_string(&r->args);
		if (!text || n == ARRAY_SIZE(perms) || wire_perm_parse(text, &perms[n++]))
			return -EINVAL;
	}
	return path ? store_set_perms(r->conn, r->txn, path, perms, n) : -EINVAL;
}

static int do_watch(struct request *r)
{
	const char *path = next_string(&r->args), *token = single_string(&r->args);

	return path && token ? store_watch(r->conn, path, token) : -EINVAL;
}

static int do_unwatch(struct request *r)
{
	const char *path = next_string(&r->args), *token = single_string(&r->args);

	return path && token ? store_unwatch(r->conn, path, token) : -EINVAL;
}

static int do_reset_watches(struct request *r)
{
	store_reset(r->conn);
	return 0;
}

static int do_transaction_end(struct request *r)
{
	const char *how = single_string(&r->args);

	if (!how || (strcmp(how, "T") && strcmp(how, "F")))
		return -EINVAL;
	return store_txn_end(r->conn, r->txn, *how == 'F');
}

/* The ring's frame and event channel, which follow the domid, are of no use here. */
static int do_introduce(struct request *r)
{
	uint16_t domid;

	if (store_conn_domid(r->conn) != 0)
		return -EACCES;
	if (parse_domid(&r->args, &domid) || !next_string(&r->args) || !single_string(&r->args))
		return -EINVAL;
	return store_introduce(store_conn_store(r->conn), domid);
}

static int do_release(struct request *r)
{
	uint16_t domid;

	if (store_conn_domid(r->conn) != 0)
		return -EACCES;
	if (parse_domid(&r->args, &domid) || r->args.left)
		return -EINVAL;
	return store_release(store_conn_store(r->conn), domid);
}

/* Only lets a domain that shut down shut down again: nothing to remember here. */
static int do_resume(struct request *r)
{
	uint16_t domid;

	if (store_conn_domid(r->conn) != 0)
		return -EACCES;
	if (parse_domid(&r->args, &domid) || r->args.left)
		return -EINVAL;
	return store_introduced(store_conn_store(r->conn), domid) ? 0 : -ENOENT;
}

static const struct {
	int (*fn)(struct request *r);
	bool ok; /* a successful one answers "OK" */
} handlers[XS_TYPE_COUNT] = {
	[XS_DIRECTORY] = {do_directory, false},
	[XS_DIRECTORY_PART] = {do_directory_part, false},
	[XS_READ] = {do_read, false},
	[XS_GET_PERMS] = {do_get_perms, false},
	[XS_TRANSACTION_START] = {do_transaction_start, false},
	[XS_GET_DOMAIN_PATH] = {do_get_domain_path, false},
	[XS_IS_DOMAIN_INTRODUCED] = {do_is_introduced, false},
	[XS_WRITE] = {do_write, true},
	[XS_MKDIR] = {do_mkdir, true},
	[XS_RM] = {do_rm, true},
	[XS_SET_PERMS] = {do_set_perms, true},
	[XS_WATCH] = {do_watch, true},
	[XS_UNWATCH] = {do_unwatch, true},
	[XS_RESET_WATCHES] = {do_reset_watches, true},
	[XS_TRANSACTION_END] = {do_transaction_end, true},
	[XS_INTRODUCE] = {do_introduce, true},
	[XS_RELEASE] = {do_release, true},
	[XS_RESUME] = {do_resume, true},
};

void wire_request(struct store_conn *conn, const struct xsd_sockmsg *hdr, const char *payload,
		  struct wire_reply *out)
{
	struct request r = {
		.conn = conn,
		.txn = hdr->tx_id,
		.args = {payload, hdr->len},
		.out = out,
	};
	int rc;

	out->hdr = *hdr;
	out->hdr.len = 0;
	if (hdr->type >= XS_TYPE_COUNT || !handlers[hdr->type].fn) {
		reply_error(&r, ENOSYS);
		return;
	}
	rc = handlers[hdr->type].fn(&r);
	if (rc == 0 && handlers[hdr->type].ok)
		rc = reply_string(&r, "OK");
	if (rc)
		reply_error(&r, -rc);
}

bool wire_event(struct store_conn *conn, struct wire_reply *out)
{
	struct request r = {.out = out};
	AUTO_FREE char *path = NULL, *token = NULL;

	if (!store_next_event(conn, &path, &token))
		return false;
	out->hdr = (struct xsd_sockmsg){.type = XS_WATCH_EVENT};
	reply_string(&r, path);
	reply_string(&r, token); /* fits: STORE_TOKEN_MAX */
	return true;
}
