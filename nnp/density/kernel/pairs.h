// What one neighbour of each site contributes: radial functions and harmonics, and their derivatives.
#pragma once
#include "harmonics.h"
#include "model.h"

namespace density {

constexpr int MOST_RADIAL = 64;

// The n-th neighbours of the sites of a block. fade: the switch at the cutoff; x: argument of the polynomials;
// *_slope: derivatives in r.
template <class T> struct Neighbours {
  T ux, uy, uz, r, inverse_r, x, x_slope, fade, fade_slope;
  Mask<T> species;
  bool close;  // any of them within the repulsion
};

template <class T> inline void place(const Shape &s, Neighbours<T> &n, T x, T y, T z) {
  using S = Scalar<T>;
  n.r = root(x * x + y * y + z * z);
  n.inverse_r = inverse(n.r);
  n.ux = x * n.inverse_r, n.uy = y * n.inverse_r, n.uz = z * n.inverse_r;
  const S inverse_cutoff = S(1.0 / s.cutoff);
  const T q = inverse_cutoff * n.r, left = S(1) - q * q;
  const T t = select<T>(value(left) < S(0), T{}, left);
  n.fade = t * t * t;
  n.fade_slope = (S(-6) * inverse_cutoff) * (q * (t * t));
  T near = n.r, slope = constant<T>(S(1));
  if (n.close && s.floor > 0) {  // nnp/density/radial.py: floored
    const T below = S(s.floor) - n.r;
    const T tanh = S(1) - S(2) * inverse(exponential(S(2 / s.width) * below) + S(1));
    const auto inside = value(below) > S(0);
    near = select<T>(inside, S(s.floor) - S(s.width) * tanh, n.r);
    slope = select<T>(inside, S(1) - tanh * tanh, slope);
  }
  n.x = (S(2) * inverse_cutoff) * near - S(1);
  n.x_slope = (S(2) * inverse_cutoff) * slope;
}

// R_c of the neighbours, each species with its own weights
template <class T> inline void radial_functions(const Shape &s, const Scalar<T> *weights, const Neighbours<T> &n, T *out) {
  T terms[MOST_RADIAL];
  terms[0] = n.fade, terms[1] = n.fade * n.x;
  const T twice = n.x + n.x;
  for (int k = 2; k < s.radial; ++k) terms[k] = twice * terms[k - 1] - terms[k - 2];
  if (s.elements == 1) return weigh<T>(s.radial, s.channels, terms, weights, out);
  T own[MOST_RADIAL];
  for (int e = 0; e < s.elements; ++e) {
    for (int k = 0; k < s.radial; ++k) own[k] = select<T>(n.species == e, terms[k], T{});
    weigh<T>(s.radial, s.channels, own, weights + e * s.radial * s.channels, out, e > 0);
  }
}

// ∂/∂r of Σ_c g_c R_c
template <class T> inline T radial_slope(const Shape &s, const Scalar<T> *weights, const Neighbours<T> &n, const T *g) {
  using S = Scalar<T>;
  T plain{}, sloped{}, last = constant<T>(S(1)), term = n.x, last_slope{}, slope = constant<T>(S(1));
  for (int k = 0; k < s.radial; ++k) {  // T_k, dT_k/dx in `last`, `last_slope`
    T sum{};
    for (int e = 0; e < s.elements; ++e) {
      const S *w = weights + (e * s.radial + k) * s.channels;
      T own{}, other{};
      int c = 0;
      for (; c + 2 <= s.channels; c += 2) own += w[c] * g[c], other += w[c + 1] * g[c + 1];
      if (c < s.channels) own += w[c] * g[c];
      own += other;
      sum = s.elements == 1 ? own : select<T>(n.species == e, own, sum);
    }
    plain += sum * last, sloped += sum * last_slope;
    const T next = S(2) * (n.x * term) - last, next_slope = S(2) * (term + n.x * slope) - last_slope;
    last = term, last_slope = slope, term = next, slope = next_slope;
  }
  return n.fade_slope * plain + (n.fade * n.x_slope) * sloped;
}

// Half the repulsion of the neighbours (nnp/repulsion.py) and its derivative in r
template <class T>
inline T repulsion(const Shape &s, const Weights<Scalar<T>> &w, const Neighbours<T> &n, T &slope) {
  using S = Scalar<T>;
  constexpr S share[4] = {S(0.18175), S(0.50986), S(0.28022), S(0.02817)};
  constexpr S decay[4] = {S(3.19980), S(0.94229), S(0.40290), S(0.20162)};
  Vector<T> charge{}, inverse_length{};
  for (int l = 0; l < LANES<T>; ++l)
    charge[l] = w.charge[n.species[l]], inverse_length[l] = w.inverse_length[n.species[l]];
  const T z = constant<T>(charge), inverse_a = constant<T>(inverse_length), a = n.r * inverse_a;
  T screen{}, screen_slope{};
  for (int k = 0; k < 4; ++k) {
    const T e = share[k] * exponential(-(decay[k] * a));
    screen += e;
    screen_slope = screen_slope - decay[k] * (e * inverse_a);
  }
  T t = S(2 / s.floor) * n.r - S(1);
  t = select<T>(value(t) < S(0), T{}, t);
  t = select<T>(value(t) > S(1), constant<T>(S(1)), t);
  const T fade = S(1) - t * t * t * (S(10) - S(15) * t + S(6) * (t * t));
  const T up = t * (S(1) - t), fade_slope = S(-60 / s.floor) * (up * up);
  const T bare = z * n.inverse_r, half = S(0.5) * bare;
  const auto inside = value(n.r) < S(s.floor);
  slope = select<T>(inside, half * (screen_slope * fade + screen * fade_slope - screen * fade * n.inverse_r), T{});
  return select<T>(inside, half * (screen * fade), T{});
}

}  // namespace density
