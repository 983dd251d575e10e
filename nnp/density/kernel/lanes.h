// Numbers that hold one value for each of several sites: a vector register, or a dual number of two.
#pragma once
#include <cstdint>

namespace density {

#if defined(__AVX512F__)
constexpr int BYTES = 64, REGISTERS = 32;
#elif defined(__AVX__)
constexpr int BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int BYTES = 16, REGISTERS = 32;
#else
constexpr int BYTES = 16, REGISTERS = 16;
#endif

typedef double Doubles __attribute__((vector_size(BYTES)));
typedef float Floats __attribute__((vector_size(BYTES)));
typedef std::int64_t Longs __attribute__((vector_size(BYTES)));
typedef std::int32_t Ints __attribute__((vector_size(BYTES)));

// value + slope·t with t² = 0: the slope carries the derivative in one direction through every operation
template <class V> struct Dual {
  V value, slope;
};

template <class T> struct Of;
template <> struct Of<Doubles> {
  using Scalar = double;
  using Vector = Doubles;
  using Mask = Longs;
  static constexpr bool dual = false;
  static constexpr double magic = 6755399441055744.0;  // 1.5·2^52: adding it rounds to an integer
  static constexpr int shift = 52, terms = 14;
  static constexpr double high = 6.93147180369123816490e-01, low = 1.90821492927058770002e-10, most = 700.0;
};
template <> struct Of<Floats> {
  using Scalar = float;
  using Vector = Floats;
  using Mask = Ints;
  static constexpr bool dual = false;
  static constexpr float magic = 12582912.0f;
  static constexpr int shift = 23, terms = 8;
  static constexpr float high = 0.693359375f, low = -2.12194440e-4f, most = 80.0f;
};
template <class V> struct Of<Dual<V>> : Of<V> {
  static constexpr bool dual = true;
};
template <class T> using Scalar = typename Of<T>::Scalar;
template <class T> using Vector = typename Of<T>::Vector;
template <class T> using Mask = typename Of<T>::Mask;
template <class T> constexpr int LANES = BYTES / sizeof(Scalar<T>);

template <class V> inline V spread(Scalar<V> s) { return V{} + s; }

template <class V> inline Dual<V> operator+(Dual<V> a, Dual<V> b) { return {a.value + b.value, a.slope + b.slope}; }
template <class V> inline Dual<V> operator-(Dual<V> a, Dual<V> b) { return {a.value - b.value, a.slope - b.slope}; }
template <class V> inline Dual<V> operator-(Dual<V> a) { return {-a.value, -a.slope}; }
template <class V> inline Dual<V> operator*(Dual<V> a, Dual<V> b) {
  return {a.value * b.value, a.value * b.slope + a.slope * b.value};
}
template <class V> inline Dual<V> operator+(Dual<V> a, Scalar<V> s) { return {a.value + s, a.slope}; }
template <class V> inline Dual<V> operator+(Scalar<V> s, Dual<V> a) { return {s + a.value, a.slope}; }
template <class V> inline Dual<V> operator-(Dual<V> a, Scalar<V> s) { return {a.value - s, a.slope}; }
template <class V> inline Dual<V> operator-(Scalar<V> s, Dual<V> a) { return {s - a.value, -a.slope}; }
template <class V> inline Dual<V> operator*(Scalar<V> s, Dual<V> a) { return {s * a.value, s * a.slope}; }
template <class V> inline Dual<V> &operator+=(Dual<V> &a, Dual<V> b) { return a = a + b; }

inline Doubles value(Doubles a) { return a; }
inline Floats value(Floats a) { return a; }
template <class V> inline V value(Dual<V> a) { return a.value; }

// a constant in every lane
template <class T> inline T constant(Vector<T> v) {
  if constexpr (Of<T>::dual) return {v, Vector<T>{}};
  else return v;
}
template <class T> inline T constant(Scalar<T> s) { return constant<T>(spread<Vector<T>>(s)); }

template <class T> inline T select(Mask<T> m, T a, T b) {
  if constexpr (Of<T>::dual) return {m ? a.value : b.value, m ? a.slope : b.slope};
  else return m ? a : b;
}

template <class V> inline V root(V a) {
  for (int l = 0; l < LANES<V>; ++l) a[l] = sizeof(a[0]) == 8 ? __builtin_sqrt(a[l]) : __builtin_sqrtf(a[l]);
  return a;
}
template <class V> inline Dual<V> root(Dual<V> a) {
  V r = root(a.value);
  return {r, a.slope / (r + r)};
}

inline Doubles inverse(Doubles a) { return 1.0 / a; }
inline Floats inverse(Floats a) { return 1.0f / a; }
template <class V> inline Dual<V> inverse(Dual<V> a) {
  V q = inverse(a.value);
  return {q, -(q * q) * a.slope};
}

// exp(x) = 2^k exp(f), |f| <= ln(2)/2, by its Taylor series; x beyond ±most is taken as ±most, nan stays nan
template <class V> inline V exponential(V x) {
  using O = Of<V>;
  using S = Scalar<V>;
  const V top = spread<V>(O::most);
  x = x > top ? top : x;
  x = x < -top ? -top : x;
  V shifted = x * S(1.4426950408889634) + O::magic;
  V k = shifted - O::magic;
  V f = (x - k * O::high) - k * O::low;
  V sum = spread<V>(S(1));
  for (int n = O::terms - 1; n > 0; --n) sum = S(1) + f * sum * (S(1) / S(n));
  const Mask<V> bits = (Mask<V>)sum + ((Mask<V>)shifted << O::shift);  // the low bits of `shifted` hold k
  return (V)bits;
}
template <class V> inline Dual<V> exponential(Dual<V> a) {
  V e = exponential(a.value);
  return {e, e * a.slope};
}

}  // namespace density
