// Pair vectors from positions, and forces from the gradients in the pair vectors.
#include <cstdint>

#include "threads.h"

namespace {

using Integer = std::int64_t;
constexpr Integer GRAIN = 100'000;  // pairs that are worth a thread

template <class S>
void vectors(Integer pairs, const Integer *i, const Integer *j, const Integer *shifts, const S *positions,
             const S *cell, S *out, Integer threads) {
  parallel(pairs, threads, GRAIN, [=](Integer begin, Integer end) {
    for (Integer p = begin; p < end; ++p) {
      const S *from = positions + 3 * i[p], *to = positions + 3 * j[p];
      const S a = S(shifts[3 * p]), b = S(shifts[3 * p + 1]), c = S(shifts[3 * p + 2]);
      for (int k = 0; k < 3; ++k)
        out[3 * p + k] = to[k] - from[k] + (a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
    }
  });
}

template <class S>
void differences(Integer pairs, const Integer *i, const Integer *j, const S *values, S *out, Integer threads) {
  parallel(pairs, threads, GRAIN, [=](Integer begin, Integer end) {
    for (Integer p = begin; p < end; ++p)
      for (int k = 0; k < 3; ++k) out[3 * p + k] = values[3 * j[p] + k] - values[3 * i[p] + k];
  });
}

template <class S> void gather(Integer pairs, const Integer *i, const Integer *j, const S *gradient, S *out) {
  for (Integer p = 0; p < pairs;) {  // the pairs of one centre stand together
    const Integer centre = i[p];
    S sum[3] = {};
    for (; p < pairs && i[p] == centre; ++p)
      for (int k = 0; k < 3; ++k) {
        sum[k] += gradient[3 * p + k];
        out[3 * j[p] + k] += gradient[3 * p + k];
      }
    for (int k = 0; k < 3; ++k) out[3 * centre + k] -= sum[k];
  }
}

}  // namespace

extern "C" {
void pair_vectors_f64(Integer n, const Integer *i, const Integer *j, const Integer *shifts, const double *positions,
                      const double *cell, double *out, Integer threads) {
  vectors(n, i, j, shifts, positions, cell, out, threads);
}
void pair_vectors_f32(Integer n, const Integer *i, const Integer *j, const Integer *shifts, const float *positions,
                      const float *cell, float *out, Integer threads) {
  vectors(n, i, j, shifts, positions, cell, out, threads);
}
void pair_differences_f64(Integer n, const Integer *i, const Integer *j, const double *v, double *out, Integer threads) {
  differences(n, i, j, v, out, threads);
}
void pair_differences_f32(Integer n, const Integer *i, const Integer *j, const float *v, float *out, Integer threads) {
  differences(n, i, j, v, out, threads);
}
void pair_gather_f64(Integer n, const Integer *i, const Integer *j, const double *gradient, double *out) {
  gather(n, i, j, gradient, out);
}
void pair_gather_f32(Integer n, const Integer *i, const Integer *j, const float *gradient, float *out) {
  gather(n, i, j, gradient, out);
}
}
