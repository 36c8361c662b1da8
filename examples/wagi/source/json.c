// A flat JSON object: strings without \u, numbers, true, false, null. What it does not understand, it refuses.
#include "fields.h"
#include <string.h>

static const char *skip_space(const char *text) { return text + strspn(text, " \t\r\n"); }

static const char ESCAPES[] = "\"\\/ntrbf";
static const char MEANINGS[] = "\"\\/\n\t\r\b\f";

static const char *read_string(const char *text, char *out) {
  size_t length = 0;
  if (*text++ != '"') return NULL;
  for (; *text != '"'; text++) {
    char byte = *text;
    if (byte == '\\') {
      const char *escape = strchr(ESCAPES, *++text);
      if (escape == NULL || *escape == '\0') return NULL;
      byte = MEANINGS[escape - ESCAPES];
    } else if ((unsigned char)byte < 0x20) {
      return NULL; // the end of the text, too
    }
    if (length + 1 == MAX_TEXT) return NULL;
    out[length++] = byte;
  }
  out[length] = '\0';
  return text + 1;
}

static const char *read_bare(const char *text, char *out) {
  size_t length = strspn(text, "+-.0123456789Eaeflnrstu");
  if (length == 0 || length >= MAX_TEXT) return NULL;
  memcpy(out, text, length);
  out[length] = '\0';
  return text + length;
}

bool read_json_object(struct fields *fields, const char *text) {
  text = skip_space(text);
  if (*text++ != '{') return false;
  text = skip_space(text);
  bool more = *text != '}';
  while (more) {
    if (fields->count == MAX_FIELDS) return false;
    struct field *field = &fields->list[fields->count++];
    text = read_string(skip_space(text), field->name);
    if (text == NULL) return false;
    text = skip_space(text);
    if (*text++ != ':') return false;
    text = skip_space(text);
    text = *text == '"' ? read_string(text, field->value) : read_bare(text, field->value);
    if (text == NULL) return false;
    text = skip_space(text);
    more = *text == ',';
    if (more) text++;
  }
  return *text == '}' && *skip_space(text + 1) == '\0';
}
