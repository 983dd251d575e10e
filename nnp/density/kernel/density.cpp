// Site energies of the density potential and the gradient of Σ w_i ε_i in the pair vectors.
//
// Sites are taken in blocks, one to each lane of a vector register, so that every operation below works on
// all sites of a block at once and no lane ever looks at another. The gradient is written out by hand. With
// dual numbers in place of registers the same code gives the Hessian–vector product.
#include <atomic>
#include <vector>

#include "../../native/threads.h"
#include "invariants.h"
#include "network.h"
#include "pairs.h"

namespace density {

// The pairs of a graph and where results go; null where not wanted. With `features` the invariants of the sites
// are all that is computed.
template <class S> struct Graph {
  Integer sites, pairs;
  const Integer *centre, *numbers, *neighbour_numbers;
  const S *vectors, *directions, *site_weights;
  S *energies, *gradient, *features;
};

template <class T> struct Block {
  using S = Scalar<T>;
  static constexpr int lanes = LANES<T>;
  const Shape &s;
  std::vector<Neighbours<T>> neighbours;
  std::vector<Integer> list;
  std::vector<T> angular, radial, angular_gradient, radial_gradient, moments, moments_gradient, features, slopes;
  Invariants<T> invariants;
  Network<T> network;
  Integer longest;

  Block(const Shape &shape, Integer most)
      : s(shape), neighbours(most), list(lanes * most), angular(most * s.harmonics()), radial(most * s.channels),
        angular_gradient(most * s.harmonics()), radial_gradient(most * s.channels),
        moments(s.harmonics() * s.channels), moments_gradient(s.harmonics() * s.channels), features(s.inputs),
        slopes(s.inputs), invariants(s), network(s), longest(most) {}

  // sites[l] < 0: no site in this lane
  void run(const Weights<S> &w, const Graph<S> &g, const Integer *first, const Integer *species, const Integer *sites) {
    const int depth = gather(g, first, species, sites);
    for (int n = 0; n < depth; ++n) {
      radial_functions<T>(s, w.radial, neighbours[n], &radial[n * s.channels]);
      harmonics<T>(s.degree, neighbours[n].ux, neighbours[n].uy, neighbours[n].uz, &angular[n * s.harmonics()]);
    }
    const Integer h = s.harmonics(), c = s.channels;
    product<T>(h, c, depth, {angular.data(), 1, h}, {radial.data(), c, 1}, moments.data());
    invariants.forward(w, moments.data(), features.data());
    if (g.features) return give(g, sites);
    T energy = network.forward(w, features.data());
    Vector<T> seed{};
    for (int l = 0; l < lanes; ++l)
      if (sites[l] >= 0) seed[l] = g.site_weights ? g.site_weights[sites[l]] : S(1);
    network.backward(w, constant<T>(seed), slopes.data());
    invariants.backward(w, moments.data(), slopes.data(), moments_gradient.data());
    const T *da = moments_gradient.data();
    product<T>(depth, c, h, {angular.data(), h, 1}, {da, c, 1}, radial_gradient.data());
    product<T>(depth, h, c, {radial.data(), c, 1}, {da, 1, c}, angular_gradient.data());
    for (int n = 0; n < depth; ++n) scatter(w, g, n, constant<T>(seed), energy);
    if (g.energies)
      for (int l = 0; l < lanes; ++l)
        if (sites[l] >= 0) g.energies[sites[l]] = value(energy)[l];
  }

 private:
  // Neighbours within the cutoff (or at no known distance); absent ones stand where nothing is felt.
  int gather(const Graph<S> &g, const Integer *first, const Integer *species, const Integer *sites) {
    const S reach = S(s.cutoff) * S(s.cutoff);
    int count[lanes] = {}, depth = 0;
    for (int l = 0; l < lanes; ++l) {
      if (sites[l] < 0) continue;
      Integer *mine = &list[l * longest];
      for (Integer p = first[sites[l]]; p < first[sites[l] + 1]; ++p) {
        const S *v = g.vectors + 3 * p;
        mine[count[l]] = p;
        count[l] += !(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] >= reach);
        if (g.gradient) g.gradient[3 * p] = g.gradient[3 * p + 1] = g.gradient[3 * p + 2] = S(0);
      }
      depth = count[l] > depth ? count[l] : depth;
    }
    const S close = S(s.floor) * S(s.floor);
    for (int n = 0; n < depth; ++n) {
      Vector<T> at[3] = {spread<Vector<T>>(S(2 * s.cutoff)), {}, {}}, along[3] = {};
      neighbours[n].close = false;
      neighbours[n].species = Mask<T>{};
      for (int l = 0; l < lanes; ++l) {
        Integer &p = list[l * longest + n];
        if (n >= count[l]) p = -1;
        if (p < 0) continue;
        const S *v = g.vectors + 3 * p;
        for (int k = 0; k < 3; ++k) at[k][l] = v[k];
        if constexpr (Of<T>::dual)
          for (int k = 0; k < 3; ++k) along[k][l] = g.directions[3 * p + k];
        neighbours[n].species[l] = species[p];
        neighbours[n].close |= v[0] * v[0] + v[1] * v[1] + v[2] * v[2] < close;
      }
      if constexpr (Of<T>::dual)
        place<T>(s, neighbours[n], {at[0], along[0]}, {at[1], along[1]}, {at[2], along[2]});
      else
        place<T>(s, neighbours[n], at[0], at[1], at[2]);
    }
    return depth;
  }

  void give(const Graph<S> &g, const Integer *sites) const {
    for (int l = 0; l < lanes; ++l)
      if (sites[l] >= 0)
        for (Integer i = 0; i < s.inputs; ++i) g.features[sites[l] * s.inputs + i] = value(features[i])[l];
  }

  // Gradient in the vectors of the n-th neighbours; adds their repulsion.
  void scatter(const Weights<S> &w, const Graph<S> &g, int n, T seed, T &energy) {
    const Neighbours<T> &near = neighbours[n];
    T slope = radial_slope<T>(s, w.radial, near, &radial_gradient[n * s.channels]);
    if (near.close && s.floor > 0) {
      T repulsive;
      energy += repulsion<T>(s, w, near, repulsive);
      slope += seed * repulsive;
    }
    T d[3];
    harmonics_gradient<T>(s.degree, near.ux, near.uy, near.uz, &angular_gradient[n * s.harmonics()], d);
    const T radially = d[0] * near.ux + d[1] * near.uy + d[2] * near.uz;
    slope = slope - radially * near.inverse_r;
    d[0] = d[0] * near.inverse_r + slope * near.ux;
    d[1] = d[1] * near.inverse_r + slope * near.uy;
    d[2] = d[2] * near.inverse_r + slope * near.uz;
    Vector<T> out[3];
    for (int k = 0; k < 3; ++k)
      if constexpr (Of<T>::dual) out[k] = d[k].slope;
      else out[k] = d[k];
    for (int l = 0; l < lanes; ++l)
      if (const Integer p = list[l * longest + n]; p >= 0)
        for (int k = 0; k < 3; ++k) g.gradient[3 * p + k] = out[k][l];
  }
};

// Place of each atomic number among those of the model; false when one is missing.
bool find_species(const Shape &s, const Integer *numbers, Integer count, std::vector<Integer> &out) {
  out.assign(count, 0);
  if (s.elements == 1) return true;
  for (Integer i = 0; i < count; ++i) {
    Integer e = 0;
    while (e < s.elements && s.numbers[e] != numbers[i]) ++e;
    if (e == s.elements) return false;
    out[i] = e;
  }
  return true;
}

// Blocks of sites of one element, −1 where a block has fewer sites than lanes.
std::vector<Integer> arrange(const Shape &s, const std::vector<Integer> &species, int lanes) {
  std::vector<Integer> out;
  for (Integer e = 0; e < s.elements; ++e) {
    for (Integer i = 0; i < Integer(species.size()); ++i)
      if (species[i] == e) out.push_back(i);
    while (out.size() % lanes) out.push_back(-1);
  }
  return out;
}

template <class T> int run(const Shape *shape, const Scalar<T> *weights, const Graph<Scalar<T>> *graph, Integer threads) {
  const Shape &s = *shape;
  const Graph<Scalar<T>> &g = *graph;
  std::vector<Integer> site_species, species, first(g.sites + 1, 0);
  if (s.radial > MOST_RADIAL || s.radial < 1) return 1;
  if (!find_species(s, g.numbers, g.sites, site_species)) return 2;
  if (!find_species(s, g.neighbour_numbers, g.pairs, species)) return 2;
  for (Integer p = 0; p < g.pairs; ++p) {
    if (g.centre[p] < 0 || g.centre[p] >= g.sites || (p && g.centre[p] < g.centre[p - 1])) return 3;
    ++first[g.centre[p] + 1];
  }
  Integer most = 1;
  for (Integer i = 0; i < g.sites; ++i) {
    most = first[i + 1] > most ? first[i + 1] : most;
    first[i + 1] += first[i];
  }
  const std::vector<Integer> order = arrange(s, site_species, LANES<T>);
  const Integer blocks = order.size() / LANES<T>;
  threads = threads > blocks / 4 ? (blocks < 8 ? 1 : blocks / 4) : threads < 1 ? 1 : threads;
  std::vector<Block<T>> work;
  for (Integer t = 0; t < threads; ++t) work.emplace_back(s, most + 1);
  std::vector<Weights<Scalar<T>>> own;
  for (Integer e = 0; e < s.elements; ++e) own.emplace_back(s, weights + e * s.weights);
  std::atomic<Integer> next{0};
  parallel(threads, threads, 1, [&](Integer mine, Integer) {
    for (Integer b; (b = next++) < blocks;) {
      const Integer *sites = &order[b * LANES<T>];
      work[mine].run(own[site_species[sites[0]]], g, first.data(), species.data(), sites);
    }
  });
  return 0;
}

}  // namespace density

using namespace density;

extern "C" {
int density_gradients_f64(const Shape *s, const double *w, const density::Graph<double> *g, Integer threads) {
  return run<Doubles>(s, w, g, threads);
}
int density_gradients_f32(const Shape *s, const float *w, const density::Graph<float> *g, Integer threads) {
  return run<Floats>(s, w, g, threads);
}
int density_curvature_f64(const Shape *s, const double *w, const density::Graph<double> *g, Integer threads) {
  return run<Dual<Doubles>>(s, w, g, threads);
}
int density_curvature_f32(const Shape *s, const float *w, const density::Graph<float> *g, Integer threads) {
  return run<Dual<Floats>>(s, w, g, threads);
}
}
