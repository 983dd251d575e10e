// Sizes and weights of a model, as handed over by call.py.
#pragma once
#include <cstdint>

namespace density {

using Integer = std::int64_t;

// The sizes, and the tables of the couplings of two moments to a third (see nnp/density/descriptor.py).
struct Shape {
  Integer elements, radial, channels, degree, three, many, many_degree;
  Integer paths, squares, terms, layers, inputs, weights;
  const Integer *widths;         // layers + 1: inputs, hidden, 1
  const Integer *path;           // paths × 2: degree and first row of a coupled moment
  const Integer *square;         // squares × 2: the two paths of a five-body invariant
  const Integer *term;           // terms × 3: row, first and second moment; first <= second
  const double *coefficient;     // terms
  const Integer *numbers;        // elements: atomic numbers, ascending
  double cutoff, floor, width;   // floor 0: distances as they are, and no repulsion

  Integer harmonics() const { return (degree + 1) * (degree + 1); }
  Integer gram() const { return channels * (channels + 1) / 2; }
  Integer many_rows() const { return many_degree > 0 ? (many_degree + 1) * (many_degree + 1) : 0; }
  Integer coupled_rows() const {
    Integer rows = 0;
    for (Integer p = 0; p < paths; ++p) rows += 2 * path[2 * p] + 1;
    return rows;
  }
};

// The weights of one element: consecutive slices of one array, in this order.
template <class S> struct Weights {
  const S *radial;              // elements × radial × channels
  const S *three, *three_back;  // degrees × gram × three, degrees × three × gram
  const S *many, *many_back;    // degrees × channels × many, degrees × many × channels
  const S *mean, *inverse_spread, *linear;  // inputs
  const S *layers;              // for each layer: in × out, out × in, bias
  const S *scale, *offset;
  const S *charge, *inverse_length;  // elements: of the repulsion

  Weights(const Shape &s, const S *at) {
    auto next = [&at](Integer count) {
      const S *slice = at;
      at += count;
      return slice;
    };
    const Integer degrees = s.degree + 1, many_degrees = s.many_degree > 0 ? s.many_degree + 1 : 0;
    radial = next(s.elements * s.radial * s.channels);
    three = next(degrees * s.gram() * s.three);
    three_back = next(degrees * s.gram() * s.three);
    many = next(many_degrees * s.channels * s.many);
    many_back = next(many_degrees * s.channels * s.many);
    mean = next(s.inputs), inverse_spread = next(s.inputs), linear = next(s.inputs);
    layers = at;
    for (Integer l = 0; l < s.layers; ++l) next((2 * s.widths[l] + 1) * s.widths[l + 1]);
    scale = next(1), offset = next(1);
    charge = next(s.elements), inverse_length = next(s.elements);
  }
};

}  // namespace density
