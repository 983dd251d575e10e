// All directed pairs of atoms closer than a cutoff, in a cell that may repeat along some of its vectors.
//
// Atoms are sorted into bins about half a cutoff wide. Each atom then looks at the bins within reach; bins that
// follow each other along the last axis are looked at in one go.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "threads.h"

namespace {

using Integer = std::int64_t;

struct Box {
  double cell[3][3], inverse[3][3];  // rows: lattice vectors; x · inverse: fractions of them
  double height[3];                  // distance between the faces
  bool periodic[3];
  double cutoff;
};

struct Bins {
  Integer count[3], reach[3];
  double low[3], scale[3];
  std::vector<Integer> first, atom, bin_of[3], wrap;  // wrap: cells by which each atom was moved into the box
  std::vector<double> points, sorted;                 // moved positions, in the atoms' order and by bins

  Integer index(Integer x, Integer y, Integer z) const { return (x * count[1] + y) * count[2] + z; }

  Bins(const Box &box, Integer n, const double *positions) : wrap(3 * n), points(3 * n), sorted(3 * n) {
    std::vector<double> fraction(3 * n);
    double high[3];
    for (int k = 0; k < 3; ++k) low[k] = box.periodic[k] ? 0.0 : INFINITY, high[k] = box.periodic[k] ? 1.0 : -INFINITY;
    for (Integer i = 0; i < n; ++i) {
      const double *y = positions + 3 * i;
      for (int k = 0; k < 3; ++k) {
        const double f = y[0] * box.inverse[0][k] + y[1] * box.inverse[1][k] + y[2] * box.inverse[2][k];
        wrap[3 * i + k] = box.periodic[k] ? Integer(std::floor(f)) : 0;
        fraction[3 * i + k] = f - double(wrap[3 * i + k]);
        low[k] = std::min(low[k], fraction[3 * i + k]), high[k] = std::max(high[k], fraction[3 * i + k]);
      }
      for (int c = 0; c < 3; ++c) {
        points[3 * i + c] = y[c];
        for (int k = 0; k < 3; ++k) points[3 * i + c] -= double(wrap[3 * i + k]) * box.cell[k][c];
      }
    }
    choose(box, n, high);
    sort(n, fraction);
  }

 private:
  void choose(const Box &box, Integer n, const double *high) {
    double width = 0.5 * box.cutoff;
    for (;; width *= 1.3) {  // far fewer bins than atoms would be empty space
      double total = 1.0;
      for (int k = 0; k < 3; ++k) {
        const double length = std::max(high[k] - low[k], 1e-12) * box.height[k];
        const double wanted = std::min(std::floor(length / width), 1e6);
        count[k] = Integer(std::max(1.0, wanted));
        total *= double(count[k]);
        scale[k] = double(count[k]) / std::max(high[k] - low[k], 1e-12);
        reach[k] = Integer(std::ceil(box.cutoff * (1.0 + 1e-9) / (length / double(count[k]))));
        if (!box.periodic[k]) reach[k] = std::min(reach[k], count[k] - 1);
      }
      if (total <= 4.0 * double(n) + 64.0) return;
    }
  }

  void sort(Integer n, const std::vector<double> &fraction) {
    std::vector<Integer> bin(n);
    first.assign(count[0] * count[1] * count[2] + 1, 0);
    for (int k = 0; k < 3; ++k) bin_of[k].resize(n);
    for (Integer i = 0; i < n; ++i) {
      for (int k = 0; k < 3; ++k) {
        const Integer b = Integer((fraction[3 * i + k] - low[k]) * scale[k]);
        bin_of[k][i] = std::min(std::max(b, Integer(0)), count[k] - 1);
      }
      bin[i] = index(bin_of[0][i], bin_of[1][i], bin_of[2][i]);
      ++first[bin[i] + 1];
    }
    for (std::size_t b = 1; b < first.size(); ++b) first[b] += first[b - 1];
    std::vector<Integer> next(first.begin(), first.end() - 1);
    atom.resize(n);
    for (Integer i = 0; i < n; ++i) {
      const Integer at = next[bin[i]]++;
      atom[at] = i;
      for (int c = 0; c < 3; ++c) sorted[3 * at + c] = points[3 * i + c];
    }
  }
};

Integer floor_divide(Integer a, Integer b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// Calls found(j, shift) for every neighbour of atom i.
template <class Found> void neighbours(const Box &box, const Bins &bins, Integer i, Found found) {
  const double *here = &bins.points[3 * i], reach = box.cutoff * box.cutoff;
  Integer from[3], to[3];
  for (int k = 0; k < 3; ++k) {
    from[k] = bins.bin_of[k][i] - bins.reach[k], to[k] = bins.bin_of[k][i] + bins.reach[k];
    if (!box.periodic[k]) from[k] = std::max(from[k], Integer(0)), to[k] = std::min(to[k], bins.count[k] - 1);
  }
  const Integer nz = bins.count[2];
  for (Integer x = from[0]; x <= to[0]; ++x)
    for (Integer y = from[1]; y <= to[1]; ++y) {
      Integer s[3] = {floor_divide(x, bins.count[0]), floor_divide(y, bins.count[1]), 0};
      const Integer row = bins.index(x - s[0] * bins.count[0], y - s[1] * bins.count[1], 0);
      for (s[2] = floor_divide(from[2], nz); s[2] <= floor_divide(to[2], nz); ++s[2]) {
        const Integer begin = row + std::max(from[2] - s[2] * nz, Integer(0));
        const Integer end = row + std::min(to[2] - s[2] * nz, nz - 1) + 1;
        double origin[3];
        for (int c = 0; c < 3; ++c) {
          origin[c] = -here[c];
          for (int k = 0; k < 3; ++k) origin[c] += double(s[k]) * box.cell[k][c];
        }
        const bool same = s[0] == 0 && s[1] == 0 && s[2] == 0;
        for (Integer at = bins.first[begin]; at < bins.first[end]; ++at) {
          const double *there = &bins.sorted[3 * at];
          const double a = there[0] + origin[0], b = there[1] + origin[1], c = there[2] + origin[2];
          if (a * a + b * b + c * c < reach && !(same && bins.atom[at] == i)) found(bins.atom[at], s);
        }
      }
    }
}

}  // namespace

extern "C" {
// Fills first (n + 1): where the pairs of each atom begin; where j is not null, also i, j and shifts of the pairs.
Integer pair_search(Integer n, const double *positions, const double *cell, const double *inverse,
                    const Integer *periodic, double cutoff, Integer *first, Integer *pair_i, Integer *pair_j,
                    Integer *shifts, Integer threads) {
  Box box;
  box.cutoff = cutoff;
  for (int k = 0; k < 3; ++k) {
    double square = 0.0;
    for (int c = 0; c < 3; ++c) {
      box.cell[k][c] = cell[3 * k + c], box.inverse[k][c] = inverse[3 * k + c];
      square += inverse[3 * c + k] * inverse[3 * c + k];
    }
    box.height[k] = 1.0 / std::sqrt(square), box.periodic[k] = periodic[k] != 0;
  }
  const Bins bins(box, n, positions);
  parallel(n, threads, 1000, [&](Integer begin, Integer end) {
    for (Integer i = begin; i < end; ++i) {
      if (!pair_j) {
        Integer count = 0;
        neighbours(box, bins, i, [&](Integer, const Integer *) { ++count; });
        first[i + 1] = count;
        continue;
      }
      Integer p = first[i];
      neighbours(box, bins, i, [&](Integer j, const Integer *s) {
        pair_i[p] = i, pair_j[p] = j;
        for (int k = 0; k < 3; ++k) shifts[3 * p + k] = s[k] + bins.wrap[3 * i + k] - bins.wrap[3 * j + k];
        ++p;
      });
    }
  });
  if (!pair_j) {
    first[0] = 0;
    for (Integer i = 0; i < n; ++i) first[i + 1] += first[i];
  }
  return first[n];
}
}
