/* The golden vectors and their comparison; see golden_vectors.h.
 * Written by recipekit; it is replaced by the next build. */
#include "golden_vectors.h"

@DATA@

static double golden_value(golden_type type, const void *data, size_t at) {
  switch (type) {
    case GOLDEN_BOOL:
    case GOLDEN_UINT8:
      return ((const uint8_t *)data)[at];
    case GOLDEN_INT8:
      return ((const int8_t *)data)[at];
    case GOLDEN_INT16:
      return ((const int16_t *)data)[at];
    case GOLDEN_FLOAT16:
    case GOLDEN_UINT16:
      return ((const uint16_t *)data)[at];
    case GOLDEN_INT32:
      return ((const int32_t *)data)[at];
    case GOLDEN_UINT32:
      return ((const uint32_t *)data)[at];
    case GOLDEN_INT64:
      return (double)((const int64_t *)data)[at];
    case GOLDEN_UINT64:
      return (double)((const uint64_t *)data)[at];
    case GOLDEN_FLOAT32:
      return ((const float *)data)[at];
    case GOLDEN_FLOAT64:
      return ((const double *)data)[at];
  }
  return 0;
}

static int golden_is_float(golden_type type) { return type == GOLDEN_FLOAT32 || type == GOLDEN_FLOAT64; }

double golden_difference(const golden_tensor *expected, const void *actual) {
  double largest = 0;
  size_t at;
  for (at = 0; at < expected->count; ++at) {
    double distance = golden_value(expected->type, actual, at) - golden_value(expected->type, expected->data, at);
    if (distance != distance) return -1;
    if (distance < 0) distance = -distance;
    if (distance > largest) largest = distance;
  }
  return largest;
}

int golden_vectors_check(golden_run run, void *context, double lsb, double absolute) {
  const void *outputs[GOLDEN_VECTORS_MOST_OUTPUTS];
  int failed = 0;
  size_t number, at;
  for (number = 0; number < GOLDEN_VECTORS_COUNT; ++number) {
    const golden_vector *vector = &golden_vectors[number];
    if (run(vector, outputs, context) != 0) {
      failed += (int)vector->output_count;
      continue;
    }
    for (at = 0; at < vector->output_count; ++at) {
      const double difference = golden_difference(&vector->outputs[at], outputs[at]);
      if (difference < 0 || difference > (golden_is_float(vector->outputs[at].type) ? absolute : lsb)) ++failed;
    }
  }
  return failed;
}
