// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Checks the JSON on standard input, for shells without a tool for it:
 *	jsoncheck [POINTER[=TEXT]]...
 * Each POINTER (RFC 6901, as /0/driver) has to be there, and be TEXT if that is
 * given; null is "null".
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check(struct json_object *root, char *argument)
{
	struct json_object *found = NULL;
	char *wanted = strchr(argument, '=');
	const char *text;

	if (wanted)
		*wanted++ = '\0';
	if (json_pointer_get(root, argument, &found)) {
		fprintf(stderr, "jsoncheck: there is no %s\n", argument);
		return 1;
	}
	text = found ? json_object_get_string(found) : "null";
	if (!wanted || !strcmp(text, wanted))
		return 0;
	fprintf(stderr, "jsoncheck: %s is %s, not %s\n", argument, text, wanted);
	return 1;
}

/* json_object_from_fd() would let text after the value pass. */
static struct json_object *read_all(FILE *file)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root = NULL;
	size_t len = 0, end;
	char *text = NULL;
	ssize_t got = getdelim(&text, &len, '\0', file);

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	if (got > 0) {
		root = json_tokener_parse_ex(tokener, text, (int)got);
		end = json_tokener_get_parse_end(tokener);
		if (root && end + strspn(text + end, " \n") != (size_t)got) {
			json_object_put(root);
			root = NULL;
		}
	}
	json_tokener_free(tokener);
	free(text);
	return root;
}

int main(int argc, char **argv)
{
	struct json_object *root = read_all(stdin);
	int failed = 0, i;

	if (!root) {
		fputs("jsoncheck: this is no JSON\n", stderr);
		return EXIT_FAILURE;
	}
	for (i = 1; i < argc; i++)
		failed |= check(root, argv[i]);
	json_object_put(root);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
