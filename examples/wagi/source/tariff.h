// What a parcel costs. Amounts are whole cents.
#pragma once
#include <stdbool.h>

#define MAX_GRAMS 30000

struct zone {
  const char *countries; // ISO 3166-1 alpha-2 codes, each followed by a space
  const char *standard_days;
  const char *express_days; // NULL: no express
  int standard_base;
  int standard_per_kilogram;
  int express_surcharge;
  int free_from; // value of the goods from which standard is free; 0: never
};

// The zone of a country, or NULL when nothing is shipped there.
const struct zone *zone_of(const char *country);
int standard_price(const struct zone *zone, int grams, int goods);
int express_price(const struct zone *zone, int grams);
