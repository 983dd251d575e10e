// Energy and stress of a series in the strain at many points: see elastic_series.py for what the numbers mean.
// Points are taken in blocks whose products of strains stay in the fastest memory.

#include <algorithm>
#include <cstdint>

namespace {

constexpr int BLOCK = 8, PAIRS = 21, TRIPLES = 56;
typedef double Block __attribute__((vector_size(BLOCK * sizeof(double))));

// sum = factors (6, N) · x; all six at once, so that one does not wait for the other
template <int N>
inline void contract(const double* factors, const Block* x, Block (&sum)[6]) {
    Block rows[6] = {};
    for (int t = 0; t < N; ++t)
#pragma GCC unroll 6
        for (int a = 0; a < 6; ++a) rows[a] += factors[N * a + t] * x[t];
    for (int a = 0; a < 6; ++a) sum[a] = rows[a];
}

}  // namespace

// e, stress (6, n); second (6, 6), cubic (6, 21), quartic (6, 56); energy (n).
extern "C" void elastic_series(int64_t n, const double* e, const double* second, const double* cubic,
                               const double* quartic, double* energy, double* stress) {
    Block x[6], pairs[PAIRS], triples[TRIPLES];
    for (int64_t start = 0; start < n; start += BLOCK) {
        const int count = static_cast<int>(std::min<int64_t>(BLOCK, n - start));
        for (int a = 0; a < 6; ++a)
            for (int p = 0; p < BLOCK; ++p) x[a][p] = p < count ? e[a * n + start + p] : 0.0;
        int pair = 0, triple = 0;
        for (int a = 0; a < 6; ++a)
            for (int b = a; b < 6; ++b) pairs[pair++] = x[a] * x[b];
        for (int a = 0, first = 0; a < 6; first += 6 - a, ++a)
            for (int k = first; k < PAIRS; ++k) triples[triple++] = x[a] * pairs[k];
        Block linear[6], third[6], fourth[6], total = {};
        contract<6>(second, x, linear);
        contract<PAIRS>(cubic, pairs, third);
        contract<TRIPLES>(quartic, triples, fourth);
        for (int a = 0; a < 6; ++a) {
            const Block all = linear[a] + third[a] + fourth[a];
            total += x[a] * (linear[a] / 2.0 + third[a] / 3.0 + fourth[a] / 4.0);
            for (int p = 0; p < count; ++p) stress[a * n + start + p] = all[p];
        }
        for (int p = 0; p < count; ++p) energy[start + p] = total[p];
    }
}
