/* Golden vectors: inputs as the model takes them, and what TensorFlow Lite's reference kernels give to them.
 *
 * Compile golden_vectors_check.c with your program and let it run every vector:
 *
 *     static int run(const golden_vector *vector, const void **outputs, void *context) {
 *       (void)context;
 *       for (size_t i = 0; i < vector->input_count; ++i) {
 *         memcpy(interpreter->input(vector->inputs[i].position)->data.raw, vector->inputs[i].data,
 *                vector->inputs[i].bytes);
 *       }
 *       if (interpreter->Invoke() != kTfLiteOk) return 1;
 *       for (size_t i = 0; i < vector->output_count; ++i) {
 *         outputs[i] = interpreter->output(vector->outputs[i].position)->data.raw;
 *       }
 *       return 0;
 *     }
 *     ...
 *     golden_vectors_check(run, NULL, 1, 1e-5);   // 0: every output is within 1 LSB
 *
 * Written by recipekit; it is replaced by the next build. */
#ifndef GOLDEN_VECTORS_H_
#define GOLDEN_VECTORS_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  GOLDEN_BOOL,
  GOLDEN_INT8,
  GOLDEN_UINT8,
  GOLDEN_INT16,
  GOLDEN_UINT16,
  GOLDEN_INT32,
  GOLDEN_UINT32,
  GOLDEN_INT64,
  GOLDEN_UINT64,
  GOLDEN_FLOAT16, /* the bits, as uint16_t; compared in steps of the last one */
  GOLDEN_FLOAT32,
  GOLDEN_FLOAT64
} golden_type;

typedef struct {
  const char *name;   /* of the signature */
  int position;       /* among the inputs or outputs of the model */
  golden_type type;
  size_t count;       /* elements, the batch dimension among them */
  size_t bytes;
  const void *data;
  double scale;       /* a real number is (integer - zero_point) * scale; 0 for tensors that aren't quantized */
  int32_t zero_point;
} golden_tensor;

typedef struct {
  const char *sample;    /* what the dataset calls it */
  const char *signature; /* "" for a model with one alone */
  const golden_tensor *inputs;
  size_t input_count;
  const golden_tensor *outputs; /* of the reference kernels */
  size_t output_count;
} golden_vector;

#define GOLDEN_VECTORS_COUNT @VECTORS@
#define GOLDEN_VECTORS_MOST_OUTPUTS @OUTPUTS@

extern const golden_vector golden_vectors[GOLDEN_VECTORS_COUNT];

/* Runs one vector and points `outputs[i]` to what came of `vector->outputs[i]`; 0 for success. */
typedef int (*golden_run)(const golden_vector *vector, const void **outputs, void *context);

/* The largest distance of an output from what is expected: in LSB for integers, absolute for floats; -1 for NaN. */
double golden_difference(const golden_tensor *expected, const void *actual);

/* How many outputs are further away than the tolerances, or missing because their vector could not be run.
 * `lsb` is for integers, in steps of their type; `absolute` is for floats. */
int golden_vectors_check(golden_run run, void *context, double lsb, double absolute);

#ifdef __cplusplus
}
#endif

#endif /* GOLDEN_VECTORS_H_ */
