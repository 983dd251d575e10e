// Racah-normalised real harmonics of a unit vector up to degree 4, and their gradient.
// The same polynomials, in the same order, as nnp/density/harmonics.py.
#pragma once
#include "lanes.h"

namespace density {

constexpr double R3 = 1.7320508075688772, R15 = 3.872983346207417, R5_8 = 0.7905694150420949;
constexpr double R3_8 = 0.6123724356957945, R35_4 = 2.958039891549808, R35_8 = 2.091650066335189;
constexpr double R5_4 = 1.118033988749895, R5_16 = 0.5590169943749475, R35_64 = 0.739509972887452;

template <class T> inline void harmonics(int degree, T x, T y, T z, T *out) {
  using S = Scalar<T>;
  out[0] = constant<T>(S(1));
  if (degree < 1) return;
  out[1] = y, out[2] = z, out[3] = x;
  if (degree < 2) return;
  const T xx = x * x, yy = y * y, zz = z * z, xy = x * y, flat = xx - yy;
  out[4] = S(R3) * xy, out[5] = S(R3) * (y * z), out[6] = S(1.5) * zz - S(0.5);
  out[7] = S(R3) * (x * z), out[8] = S(R3 / 2) * flat;
  if (degree < 3) return;
  const T odd_x = xx - S(3) * yy, odd_y = S(3) * xx - yy, five = S(5) * zz - S(1);
  out[9] = S(R5_8) * (y * odd_y), out[10] = S(R15) * (xy * z), out[11] = S(R3_8) * (y * five);
  out[12] = z * (S(2.5) * zz - S(1.5)), out[13] = S(R3_8) * (x * five);
  out[14] = S(R15 / 2) * (z * flat), out[15] = S(R5_8) * (x * odd_x);
  if (degree < 4) return;
  const T seven = S(7) * zz - S(1), third = S(R5_8) * (z * (S(7) * zz - S(3)));
  out[16] = S(R35_4) * (xy * flat), out[17] = S(R35_8) * (y * z * odd_y), out[18] = S(R5_4) * (xy * seven);
  out[19] = y * third, out[20] = zz * (S(4.375) * zz - S(3.75)) + S(0.375), out[21] = x * third;
  out[22] = S(R5_16) * (flat * seven), out[23] = S(R35_8) * (x * z * odd_x);
  out[24] = S(R35_64) * (xx * odd_x - yy * odd_y);
}

// gradient of Σ g_lm Y_lm in (x, y, z), the polynomials taken as functions of all space
template <class T> inline void harmonics_gradient(int degree, T x, T y, T z, const T *g, T *out) {
  using S = Scalar<T>;
  T gx{}, gy{}, gz{};
  if (degree >= 1) gy = g[1], gz = g[2], gx = g[3];
  if (degree >= 2) {
    gx += S(R3) * (y * g[4] + z * g[7] + x * g[8]);
    gy += S(R3) * (x * g[4] + z * g[5] - y * g[8]);
    gz += S(R3) * (y * g[5] + x * g[7]) + S(3) * (z * g[6]);
  }
  const T xx = x * x, yy = y * y, zz = z * z, xy = x * y, yz = y * z, xz = x * z, flat = xx - yy;
  if (degree >= 3) {
    const T five = S(5) * zz - S(1), a = S(3 * R5_8) * g[9], b = S(R15) * g[10], c = S(R3_8) * g[11];
    const T d = S(R3_8) * g[13], e = S(R15) * g[14], f = S(3 * R5_8) * g[15];
    gx += S(2) * (a * xy) + b * yz + d * five + e * xz + f * flat;
    gy += a * flat + b * xz + c * five - e * yz - S(2) * (f * xy);
    gz += b * xy + S(10) * (c * yz + d * xz) + (S(7.5) * zz - S(1.5)) * g[12] + S(0.5) * (e * flat);
  }
  if (degree >= 4) {
    const T seven = S(7) * zz - S(1), odd_x = x * (xx - S(3) * yy), odd_y = y * (S(3) * xx - yy), xyz = xy * z;
    const T third = S(R5_8) * (z * (S(7) * zz - S(3))), slope = S(R5_8) * (S(21) * zz - S(3));
    const T a = S(R35_4) * g[16], b = S(R35_8) * g[17], c = S(R5_4) * g[18], d = S(2 * R5_16) * g[22];
    const T e = S(R35_8) * g[23], f = S(4 * R35_64) * g[24];
    gx += a * odd_y + S(6) * (b * xyz) + c * (y * seven) + third * g[21] + d * (x * seven) +
          S(3) * (e * (z * flat)) + f * odd_x;
    gy += a * odd_x + S(3) * (b * (z * flat)) + c * (x * seven) + third * g[19] - d * (y * seven) -
          S(6) * (e * xyz) - f * odd_y;
    gz += b * odd_y + S(14) * (c * xyz) + slope * (y * g[19] + x * g[21]) +
          z * (S(17.5) * zz - S(7.5)) * g[20] + S(7) * (d * (z * flat)) + e * odd_x;
  }
  out[0] = gx, out[1] = gy, out[2] = gz;
}

}  // namespace density
