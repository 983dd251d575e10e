// From the invariants of the sites to their energies, and back (nnp/density/network.py).
#pragma once
#include <vector>

#include "matrices.h"
#include "model.h"

namespace density {

template <class T> struct Network {
  using S = Scalar<T>;
  const Shape &s;
  std::vector<T> inputs, values, slopes, gradient, next;

  explicit Network(const Shape &shape) : s(shape), inputs(shape.inputs) {
    Integer nodes = 0, widest = shape.inputs;
    for (Integer l = 1; l <= s.layers; ++l) {
      nodes += s.widths[l];
      widest = s.widths[l] > widest ? s.widths[l] : widest;
    }
    values.resize(nodes), slopes.resize(nodes), gradient.resize(widest), next.resize(widest);
  }

  // site energies; `f` becomes the standardised invariants
  T forward(const Weights<S> &w, T *f) {
    T linear[4] = {};
    for (int i = 0; i < s.inputs; ++i) {
      f[i] = w.inverse_spread[i] * (f[i] - w.mean[i]);
      linear[i % 4] += w.linear[i] * f[i];
    }
    const S *at = w.layers;
    const T *in = f;
    T *z = values.data(), *slope = slopes.data();
    for (int l = 0; l < s.layers; ++l) {
      const int n = s.widths[l], m = s.widths[l + 1];
      const S *bias = at + 2 * n * m;
      for (int j = 0; j < m; ++j) z[j] = constant<T>(bias[j]);
      weigh<T>(n, m, in, at, z, true);
      if (l + 1 < s.layers)
        for (int j = 0; j < m; ++j) {  // z·σ(z) and its derivative
          const T sigma = inverse(exponential(-z[j]) + S(1));
          slope[j] = sigma * (S(1) + z[j] * (S(1) - sigma));
          z[j] = z[j] * sigma;
        }
      in = z, z += m, slope += m, at = bias + m;
    }
    return *w.scale * (in[0] + ((linear[0] + linear[1]) + (linear[2] + linear[3]))) + *w.offset;
  }

  // gradient in the invariants of the energies times `seed`, after `forward`
  void backward(const Weights<S> &w, T seed, T *out) {
    const S *at = w.layers;
    Integer node = 0;
    for (Integer l = 0; l < s.layers; ++l) at += (2 * s.widths[l] + 1) * s.widths[l + 1], node += s.widths[l + 1];
    seed = *w.scale * seed;
    gradient[0] = seed;
    for (int l = s.layers - 1; l >= 0; --l) {
      const int n = s.widths[l], m = s.widths[l + 1];
      at -= (2 * n + 1) * m, node -= m;
      weigh<T>(m, n, gradient.data(), at + n * m, next.data());
      if (l > 0)
        for (int i = 0; i < n; ++i) next[i] = next[i] * slopes[node - n + i];
      gradient.swap(next);
    }
    for (int i = 0; i < s.inputs; ++i) out[i] = w.inverse_spread[i] * (gradient[i] + w.linear[i] * seed);
  }
};

}  // namespace density
