// Small matrix products, one for each lane, with the sums held in registers.
#pragma once
#include "lanes.h"

namespace density {

template <class T> constexpr int ROWS = REGISTERS == 32 ? (Of<T>::dual ? 3 : 5) : 2;
template <class T> constexpr int COLUMNS = REGISTERS == 32 ? (Of<T>::dual ? 3 : 4) : (Of<T>::dual ? 2 : 4);
template <class T> constexpr int WIDTH = (REGISTERS == 32 ? 24 : 8) / (Of<T>::dual ? 2 : 1);

template <class V> inline void accumulate(V &sum, V a, V b) { sum += a * b; }
template <class V> inline void accumulate(Dual<V> &sum, Dual<V> a, Dual<V> b) {
  sum.value += a.value * b.value;
  sum.slope += a.value * b.slope;
  sum.slope += a.slope * b.value;
}

// a matrix whose element (i, j) is data[i·row + j·column]
template <class T> struct Matrix {
  T *data;
  long row, column;
};

template <int I, int J, class T>
inline void tile(int depth, Matrix<const T> a, Matrix<const T> b, T *out, long stride) {
  T sum[I][J];
#pragma GCC unroll 8
  for (int i = 0; i < I; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < J; ++j) sum[i][j] = T{};
  for (int k = 0; k < depth; ++k) {
    T right[J];
#pragma GCC unroll 8
    for (int j = 0; j < J; ++j) right[j] = b.data[k * b.row + j * b.column];
#pragma GCC unroll 8
    for (int i = 0; i < I; ++i) {
      const T left = a.data[i * a.row + k * a.column];
#pragma GCC unroll 8
      for (int j = 0; j < J; ++j) accumulate(sum[i][j], left, right[j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < I; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < J; ++j) out[i * stride + j] = sum[i][j];
}

template <int I, int J, class T>
inline void columns(int n, int depth, Matrix<const T> a, Matrix<const T> b, T *out, long stride) {
  int j = 0;
  for (; j + J <= n; j += J)
    tile<I, J>(depth, a, {b.data + j * b.column, b.row, b.column}, out + j, stride);
  if constexpr (J > 1)
    if (j < n)
      columns<I, J - 1>(n - j, depth, a, Matrix<const T>{b.data + j * b.column, b.row, b.column}, out + j, stride);
}

template <int I, class T>
inline void rows(int m, int n, int depth, Matrix<const T> a, Matrix<const T> b, T *out, long stride) {
  int i = 0;
  for (; i + I <= m; i += I)
    columns<I, COLUMNS<T>>(n, depth, Matrix<const T>{a.data + i * a.row, a.row, a.column}, b, out + i * stride, stride);
  if constexpr (I > 1)
    if (i < m)
      rows<I - 1>(m - i, n, depth, Matrix<const T>{a.data + i * a.row, a.row, a.column}, b, out + i * stride, stride);
}

// out (m, n) = a (m, depth) · b (depth, n); out has `n` columns
template <class T> void product(int m, int n, int depth, Matrix<const T> a, Matrix<const T> b, T *out) {
  rows<ROWS<T>>(m, n, depth, a, b, out, n);
}

template <int J, class T>
inline void weigh_tile(int depth, const T *in, const Scalar<T> *weights, int n, T *out, bool add) {
  T sum[J];
#pragma GCC unroll 32
  for (int j = 0; j < J; ++j) sum[j] = add ? out[j] : T{};
  for (int i = 0; i < depth; ++i) {
    const T x = in[i];
#pragma GCC unroll 32
    for (int j = 0; j < J; ++j) sum[j] += weights[i * n + j] * x;
  }
#pragma GCC unroll 32
  for (int j = 0; j < J; ++j) out[j] = sum[j];
}

template <int J, class T>
inline void weigh_from(int depth, const T *in, const Scalar<T> *weights, int n, int j, T *out, bool add) {
  for (; j + J <= n; j += J) weigh_tile<J>(depth, in, weights + j, n, out + j, add);
  if constexpr (J > 1)
    if (j < n) weigh_from<(J > 16 ? 16 : J > 8 ? 8 : J > 4 ? 4 : J > 2 ? 2 : 1)>(depth, in, weights, n, j, out, add);
}

// out_j (+)= Σ_i in_i weights_ij, weights (depth, n)
template <class T> void weigh(int depth, int n, const T *in, const Scalar<T> *weights, T *out, bool add = false) {
  weigh_from<WIDTH<T>>(depth, in, weights, n, 0, out, add);
}

}  // namespace density
