// Shipping quotes as a CGI program (RFC 3875): the request is in the environment and on standard input, the answer goes
// to standard output. It knows nothing of Mayfly and runs under any web server that speaks CGI.
#include "fields.h"
#include "tariff.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY 4096
#define MAX_GOODS 100000000 // a million euros

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static void put_number(int number) {
  char digits[12];
  char *first = digits + sizeof digits - 1;
  *first = '\0';
  do {
    *--first = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  fputs(first, stdout);
}

static int problem(const char *status, const char *detail) {
  fputs("Status: ", stdout);
  fputs(status, stdout);
  fputs("\nContent-Type: application/problem+json\n\n{\"title\":\"", stdout);
  fputs(status + 4, stdout);
  fputs("\",\"detail\":\"", stdout);
  fputs(detail, stdout);
  fputs("\"}\n", stdout);
  return 0;
}

// True, and the number, when the field is a plain decimal number up to `most`.
static bool number(const struct fields *fields, const char *name, int most, int *out) {
  const char *text = field(fields, name);
  if (text == NULL || *text == '\0' || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text)) return false;
  *out = atoi(text);
  return *out <= most;
}

static bool read_body(struct fields *fields) {
  static char body[MAX_BODY + 1];
  size_t length = fread(body, 1, sizeof body, stdin);
  if (length > MAX_BODY || memchr(body, '\0', length) != NULL) return false;
  bool json = strncmp(variable("CONTENT_TYPE"), "application/json", 16) == 0;
  return json ? read_json_object(fields, body) : read_form(fields, body);
}

static void put_option(const char *service, const char *days, int price) {
  fputs("{\"service\":\"", stdout);
  fputs(service, stdout);
  fputs("\",\"days\":\"", stdout);
  fputs(days, stdout);
  fputs("\",\"price\":", stdout);
  put_number(price);
  fputs("}", stdout);
}

int main(void) {
  static struct fields fields;
  if (!read_form(&fields, variable("QUERY_STRING"))) return problem("400 Bad Request", "The query cannot be read.");
  if (strcmp(variable("REQUEST_METHOD"), "POST") == 0 && !read_body(&fields)) {
    return problem("400 Bad Request", "The body is neither a form nor a flat JSON object.");
  }
  const char *country = field(&fields, "country");
  if (country == NULL) return problem("422 Unprocessable Content", "country is missing.");
  const struct zone *zone = zone_of(country);
  if (zone == NULL) return problem("422 Unprocessable Content", "We do not ship to that country.");
  int grams;
  if (!number(&fields, "grams", MAX_GRAMS, &grams) || grams == 0) {
    return problem("422 Unprocessable Content", "grams must be a whole number from 1 to 30000.");
  }
  int goods = 0;
  if (field(&fields, "goods") != NULL && !number(&fields, "goods", MAX_GOODS, &goods)) {
    return problem("422 Unprocessable Content", "goods must be a whole number of cents.");
  }

  fputs("Content-Type: application/json\nCache-Control: max-age=300\n\n{\"currency\":\"", stdout);
  fputs(*variable("CURRENCY") == '\0' ? "EUR" : variable("CURRENCY"), stdout);
  fputs("\",\"options\":[", stdout);
  put_option("standard", zone->standard_days, standard_price(zone, grams, goods));
  if (zone->express_days != NULL) {
    fputs(",", stdout);
    put_option("express", zone->express_days, express_price(zone, grams));
  }
  fputs("]}\n", stdout);
  return 0;
}
