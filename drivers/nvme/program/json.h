/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_JSON_H
#define PROGRAM_JSON_H

#include <stdint.h>
#include <json-c/json.h>

/**
 * json_add_text() - Add a string to an object.
 * @object: the object
 * @key: its key
 * @text: the string
 */
void json_add_text(struct json_object *object, const char *key, const char *text);

/**
 * json_add_number() - Add a whole number to an object.
 * @object: the object
 * @key: its key
 * @number: the number
 */
void json_add_number(struct json_object *object, const char *key, uint64_t number);

/**
 * json_add_rate() - Add a number with a fraction to an object.
 * @object: the object
 * @key: its key
 * @rate: the number
 */
void json_add_rate(struct json_object *object, const char *key, double rate);

/**
 * json_print() - Print a value on standard output and let go of it.
 * @value: the value
 */
void json_print(struct json_object *value);

#endif /* PROGRAM_JSON_H */
