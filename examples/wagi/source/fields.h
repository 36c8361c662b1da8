// The fields of a request: name and value pairs from its query, its form or its JSON object.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define MAX_FIELDS 16
#define MAX_TEXT 64

struct field {
  char name[MAX_TEXT];
  char value[MAX_TEXT];
};

struct fields {
  struct field list[MAX_FIELDS];
  size_t count;
};

// Adds what `text` says to `fields`. False: it is not what its type promises, or there is too much of it.
bool read_form(struct fields *fields, const char *text);
bool read_json_object(struct fields *fields, const char *text);

// The last field of that name, or NULL.
const char *field(const struct fields *fields, const char *name);
