#include "fields.h"
#include <string.h>

const char *field(const struct fields *fields, const char *name) {
  for (size_t i = fields->count; i > 0; i--) {
    if (strcmp(fields->list[i - 1].name, name) == 0) return fields->list[i - 1].value;
  }
  return NULL;
}
