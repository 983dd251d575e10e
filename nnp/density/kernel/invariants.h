// Invariants of the moments a (harmonics, channels), and what a gradient in them means for the moments.
#pragma once
#include <vector>

#include "matrices.h"
#include "model.h"

namespace density {

template <class T> struct Invariants {
  const Shape &s;
  const int channels, many;
  std::vector<T> gram, gram_gradient, full, mixed, mixed_gradient, coupled, coupled_gradient, back;

  explicit Invariants(const Shape &shape)
      : s(shape), channels(shape.channels), many(shape.many), gram(shape.gram()), gram_gradient(shape.gram()),
        full(channels * channels), mixed(shape.many_rows() * many), mixed_gradient(shape.many_rows() * many),
        coupled(shape.coupled_rows() * many), coupled_gradient(shape.coupled_rows() * many),
        back(shape.harmonics() * channels) {}

  void forward(const Weights<Scalar<T>> &w, const T *a, T *out) {
    for (int c = 0; c < channels; ++c) out[c] = a[c];
    out += channels;
    for (int l = 0; l <= s.degree; ++l, out += s.three) {
      products_of_channels(l, a + l * l * channels);
      weigh<T>(s.gram(), s.three, gram.data(), w.three + l * s.gram() * s.three, out);
    }
    if (s.many_degree > 0) many_body(w, a, out);
  }

  // da from the gradient g in the invariants
  void backward(const Weights<Scalar<T>> &w, const T *a, const T *g, T *da) {
    const T *three = g + channels;
    for (int l = 0; l <= s.degree; ++l, three += s.three) {
      weigh<T>(s.three, s.gram(), three, w.three_back + l * s.gram() * s.three, gram_gradient.data());
      for (int c = 0, p = 0; c < channels; ++c) {
        full[c * channels + c] = gram_gradient[p] + gram_gradient[p];
        ++p;
        for (int d = c + 1; d < channels; ++d, ++p)
          full[c * channels + d] = full[d * channels + c] = gram_gradient[p];
      }
      product<T>(2 * l + 1, channels, channels, {a + l * l * channels, channels, 1}, {full.data(), channels, 1},
                 da + l * l * channels);
    }
    for (int c = 0; c < channels; ++c) da[c] += g[c];
    if (s.many_degree > 0) many_body_backward(w, three, da);
  }

 private:
  // Σ_m a_mc a_md of one degree, c <= d: Σ_m (Σ_c L_ck a_mc)(Σ_d R_dk a_md) is linear in them
  void products_of_channels(int l, const T *a) {
    T *out = gram.data();
    for (int c = 0; c < channels; ++c) {
      product<T>(1, channels - c, 2 * l + 1, {a + c, 1, channels}, {a + c, channels, 1}, out);
      out += channels - c;
    }
  }

  void many_body(const Weights<Scalar<T>> &w, const T *a, T *out) {
    for (int l = 0; l <= s.many_degree; ++l)
      for (int m = l * l; m < (l + 1) * (l + 1); ++m)
        weigh<T>(channels, many, a + m * channels, w.many + l * channels * many, mixed.data() + m * many);
    const T *b = mixed.data();
    T *t = coupled.data();
    for (auto &x : coupled) x = T{};
    for (int k = 0; k < s.terms; ++k) {
      const Scalar<T> c = Scalar<T>(s.coefficient[k]);
      const T *left = b + s.term[3 * k + 1] * many, *right = b + s.term[3 * k + 2] * many;
      T *sum = t + s.term[3 * k] * many;
      for (int q = 0; q < many; ++q) accumulate(sum[q], c * left[q], right[q]);
    }
    for (int p = 0; p < s.paths; ++p, out += many) {
      const int l = s.path[2 * p], row = s.path[2 * p + 1];
      inner(2 * l + 1, t + row * many, b + l * l * many, out);
    }
    for (int k = 0; k < s.squares; ++k, out += many) {
      const Integer *i = s.path + 2 * s.square[2 * k], *j = s.path + 2 * s.square[2 * k + 1];
      inner(2 * i[0] + 1, t + i[1] * many, t + j[1] * many, out);
    }
  }

  void inner(int rows, const T *a, const T *b, T *out) const {
    for (int q = 0; q < many; ++q) {
      T sum{};
      for (int m = 0; m < rows; ++m) accumulate(sum, a[m * many + q], b[m * many + q]);
      out[q] = sum;
    }
  }

  void many_body_backward(const Weights<Scalar<T>> &w, const T *g, T *da) {
    const T *b = mixed.data(), *t = coupled.data();
    T *gb = mixed_gradient.data(), *gt = coupled_gradient.data();
    for (auto &x : mixed_gradient) x = T{};
    for (auto &x : coupled_gradient) x = T{};
    for (int p = 0; p < s.paths; ++p, g += many) {
      const int l = s.path[2 * p], row = s.path[2 * p + 1];
      scaled(2 * l + 1, g, b + l * l * many, gt + row * many);
      scaled(2 * l + 1, g, t + row * many, gb + l * l * many);
    }
    for (int k = 0; k < s.squares; ++k, g += many) {
      const Integer *i = s.path + 2 * s.square[2 * k], *j = s.path + 2 * s.square[2 * k + 1];
      scaled(2 * i[0] + 1, g, t + i[1] * many, gt + j[1] * many);
      scaled(2 * i[0] + 1, g, t + j[1] * many, gt + i[1] * many);
    }
    for (int k = 0; k < s.terms; ++k) {
      const Scalar<T> c = Scalar<T>(s.coefficient[k]);
      const Integer first = s.term[3 * k + 1] * many, second = s.term[3 * k + 2] * many;
      const T *slope = gt + s.term[3 * k] * many;
      for (int q = 0; q < many; ++q) {
        const T d = c * slope[q];
        accumulate(gb[first + q], d, b[second + q]);
        accumulate(gb[second + q], d, b[first + q]);
      }
    }
    for (int l = 0; l <= s.many_degree; ++l)
      for (int m = l * l; m < (l + 1) * (l + 1); ++m)
        weigh<T>(many, channels, gb + m * many, w.many_back + l * channels * many, da + m * channels, true);
  }

  void scaled(int rows, const T *g, const T *a, T *out) const {
    for (int m = 0; m < rows; ++m)
      for (int q = 0; q < many; ++q) accumulate(out[m * many + q], g[q], a[m * many + q]);
  }
};

}  // namespace density
