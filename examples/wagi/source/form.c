// application/x-www-form-urlencoded, which is also what a query string is.
#include "fields.h"

static int hex(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

// Decodes up to one of `ends` into `out`; returns where it stopped, or NULL when it is malformed or too long.
static const char *decode(const char *text, char first_end, char second_end, char *out) {
  size_t length = 0;
  for (; *text != '\0' && *text != first_end && *text != second_end; text++) {
    int byte = *text == '+' ? ' ' : (unsigned char)*text;
    if (*text == '%') {
      int high = hex(text[1]);
      int low = high < 0 ? -1 : hex(text[2]);
      if (low < 0) return NULL;
      byte = high << 4 | low;
      text += 2;
    }
    if (byte == 0 || length + 1 == MAX_TEXT) return NULL;
    out[length++] = (char)byte;
  }
  out[length] = '\0';
  return text;
}

bool read_form(struct fields *fields, const char *text) {
  while (*text != '\0') {
    if (fields->count == MAX_FIELDS) return false;
    struct field *field = &fields->list[fields->count++];
    text = decode(text, '=', '&', field->name);
    if (text == NULL) return false;
    if (*text == '=') text = decode(text + 1, '&', '&', field->value);
    if (text == NULL) return false;
    if (*text == '&') text++;
  }
  return true;
}
