/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <json-c/json.h>

/**
 * json_add_text() - Add a string to an object, or null.
 * @object: the object
 * @key: its key
 * @text: the string; null if it's empty
 */
void json_add_text(struct json_object *object, const char *key, const char *text);

/**
 * json_add_format() - Add a string made as by printf() to an object.
 * @object: the object
 * @key: its key
 * @format: as printf()'s
 */
void json_add_format(struct json_object *object, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * json_print() - Print a value on standard output and let go of it.
 * @value: the value
 */
void json_print(struct json_object *value);

#endif /* TOOLS_JSON_H */
