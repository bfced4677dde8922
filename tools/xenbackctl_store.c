/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_store.c - the store of --xen, and the virtual machine that a domain is, from there. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

int cli_store_open(const struct cli *cli, struct xen **xen, struct xen_store **store)
{
	int err;

	*store = NULL;
	*xen = NULL;
	if (xen_open(xen, cli->xen_spec))
		return CLI_FAILURE; /* it has said what is missing */
	err = (*xen)->ops->store_open(*xen, store);
	if (err)
		return cli_error("cannot connect to xenstore (--xen=%s): %s", cli->xen_spec,
				 strerror(-err));
	return CLI_OK;
}

void cli_store_close(struct xen *xen, struct xen_store *store)
{
	if (store)
		xen->ops->store_close(store);
	if (xen)
		xen->ops->close(xen);
}

/* A node of a domain; free(). NULL: there is none. */
static char *read_node(struct xen *xen, struct xen_store *store, const char *domain,
		       const char *node)
{
	AUTO_FREE char *path = xb_asprintf("/local/domain/%s/%s", domain, node);
	char *value = NULL;

	return xen->ops->store_read(store, XEN_TXN_NONE, path, &value, NULL) ? NULL : value;
}

/* Its number; free(). NULL: no domain has this name. */
static char *domain_of_name(struct xen *xen, struct xen_store *store, const char *wanted)
{
	AUTO_FREE char **domains = NULL;
	char *found = NULL;
	unsigned int n = 0;

	if (xen->ops->store_list(store, XEN_TXN_NONE, "/local/domain", &domains, &n))
		return NULL;
	for (unsigned int i = 0; i < n && !found; i++) {
		AUTO_FREE char *name = read_node(xen, store, domains[i], "name");

		if (name && strcmp(name, wanted) == 0)
			found = xb_strdup(domains[i]);
	}
	return found;
}

int cli_vm_uuid(const struct cli *cli, const char *domain, char **uuid)
{
	const bool is_number = strspn(domain, "0123456789") == strlen(domain);
	AUTO_FREE char *number = NULL, *vm = NULL;
	struct xen_store *store;
	struct xen *xen;
	int status = cli_store_open(cli, &xen, &store);

	*uuid = NULL;
	if (!status) {
		number = is_number ? xb_strdup(domain) : domain_of_name(xen, store, domain);
		if (number)
			vm = read_node(xen, store, number, "vm");
		if (vm && strrchr(vm, '/'))
			*uuid = xb_strdup(strrchr(vm, '/') + 1);
		else
			status = cli_error("there is no domain \"%s\"; allowed: the number or the "
					   "name of one that `xl list` shows, or a UUID",
					   domain);
	}
	cli_store_close(xen, store);
	return status;
}
