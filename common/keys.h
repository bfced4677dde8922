/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.h - tables of configuration keys: parse, range-check, apply as a whole, document.
 *
 * A daemon describes each kind of object that it is configured by (a team, a VM's vif, itself) by
 * one table of rows; a row says name, type, range, unit, default and help, and where in a plain C
 * struct the value lands. The same table parses xenstore values and configuration files, prints the
 * manual page and answers `xenbackctl keys`. Values carry their unit:
 * - rate: "100Mbit" "12.5MB" "1Gbit", bit or byte per second; stored in bits per second
 * - bytes: "64KB" "1MiB" "1500"; stored in bytes; KB = 1000, KiB = 1024
 * - duration: "10ms" "5s" "250us"; stored in ns; a bare number other than 0 is refused
 */
#ifndef XB_KEYS_H
#define XB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
	KEY_TYPE_BOOL,	   /**< bool: 0/1, yes/no, on/off, true/false */
	KEY_TYPE_U64,	   /**< uint64_t: decimal */
	KEY_TYPE_RATE,	   /**< uint64_t: bit/s, 0 or "none" = unlimited */
	KEY_TYPE_BYTES,	   /**< uint64_t: bytes */
	KEY_TYPE_DURATION, /**< uint64_t: ns */
	KEY_TYPE_ENUM,	   /**< int: index into choices */
	KEY_TYPE_STRING,   /**< char[max + 1]: printable ASCII; min..max = length range */
	KEY_TYPE_MAC,	   /**< uint8_t[6]: aa:bb:cc:dd:ee:ff, unicast */
};

struct key {
	const char *name;
	enum key_type type;
	size_t offset;	   /**< of the member in the object's struct */
	uint64_t min, max; /**< range in the stored unit, max 0 = no limit (numbers); lengths for
			      strings */
	const char *const *choices; /**< KEY_TYPE_ENUM: NULL-terminated */
	const char *def;  /**< default in the notation of a value; NULL = the key must be given */
	bool live;	  /**< takes effect at once; else when the object is created */
	const char *help; /**< one sentence for the manual page */
};

/** All objects that are configured are below. */
#define KEYS_BASE "/local/domain/0/xenback/"

struct key_table {
	const char *name; /**< "team", "vif" ... also the [section] word of a file */
	/**
	 * Where in xenstore an object's keys stand. Words in capitals are the words of a file's
	 * section in order:
	 * "/local/domain/0/xenback/vm/UUID/vif/DEV" <-> [vm UUID vif DEV]. xenbackctl goes by it.
	 */
	const char *path;
	const struct key *keys;
	size_t n_keys;
	size_t object_size; /**< sizeof the struct */
};

/** Text of a refused value: the name, the value and what is allowed. */
#define KEY_ERROR_MAX 256

const struct key *key_find(const struct key_table *table, const char *name);

/** Writes every default into object. Keys without a default stay zero. Aborts where a table's own
 * default is wrong. */
void keys_set_defaults(const struct key_table *table, void *object);

/**
 * Parses value into the object's member. Returns 0; -ENOENT unknown key, -EINVAL not of the type,
 * -ERANGE outside the range: then object is unchanged and error says which key, what was given and
 * what is allowed.
 */
int key_set(const struct key_table *table, void *object, const char *name, const char *value,
	    char error[KEY_ERROR_MAX]);

/** Formats the member in the notation that key_set takes; returns a string to free(). */
char *key_format(const struct key *key, const void *object);

/** What key_set takes for this key, in words ("a time such as 250us, 10ms or 5s, 1ms to 1h"); a
 * string to free(). */
char *key_allowed(const struct key *key);

/** How an object of the table is named in files, by its path: "team NAME", "vm UUID vif DEV"; a
 * string to free(). */
char *keys_section(const struct key_table *table);

/** Prints the table as POD (perlpod(1)) for the manual pages. */
void keys_print_pod(const struct key_table *table);

/** One line of a file: `key = value` under `[table words...]`. */
struct keys_file_item {
	char *section; /**< text between the brackets, e.g. "vm 5f0c... vif 0" */
	char *key, *value;
	unsigned int line;
};
struct keys_file {
	struct keys_file_item *items;
	size_t n_items;
};

/**
 * Reads a configuration text (# comments, [section], key = value). Returns 0 or -EINVAL with error
 * naming line and reason. name: file name for messages. On success free with keys_file_fini.
 */
int keys_file_parse(struct keys_file *file, const char *name, const char *text, size_t size,
		    char error[KEY_ERROR_MAX]);
void keys_file_fini(struct keys_file *file);

#endif
