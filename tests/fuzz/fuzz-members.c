/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-members.c - the key `members` of a team: whatever is taken is a name and can be taken again.
 */
#include <stdlib.h>
#include <string.h>

#include "netback-team/team.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), name[TEAM_NAME_MAX], again[TEAM_NAME_MAX];
	const char *rest = text, *same = name;
	uint8_t priority;
	bool bad = false;

	if (size)
		memcpy(text, data, size);
	while (team_members_next(&rest, name, &priority, &bad)) {
		same = name;
		if (!name[0] || strlen(name) >= TEAM_NIC_NAME_MAX || strpbrk(name, ": /\t\n") ||
		    !team_members_next(&same, again, &priority, &bad) || strcmp(name, again))
			abort();
	}
	if (bad ? !*rest : rest != text + strlen(text))
		abort();
	free(text);
	return 0;
}
