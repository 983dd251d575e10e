// Solves with the columns of a Cholesky factor that stand together in dense blocks.
#include <cstdint>
#include <cstring>

namespace {

using Integer = std::int64_t;
constexpr int LANES = 4, WIDTH = 4;
typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));

// Block s has the columns first[s] … first[s + 1], and below its triangle the rows row[place[s] … place[s + 1]]; its
// numbers begin at value + at[s], column after column, the upper triangle included.
struct Factor {
  const Integer *first, *place, *row, *at;
  const double *value;
};

// Four columns are taken together, so that x is read and written once for each number of four columns.

// x ← L⁻¹ x for the blocks begin … end; work: as long as the longest column.
void forward(const Factor &f, Integer begin, Integer end, double *x, double *work) {
  for (Integer s = begin; s < end; ++s) {
    const Integer n = f.first[s + 1] - f.first[s], below = f.place[s + 1] - f.place[s], length = n + below;
    double *own = x + f.first[s];
    for (Integer i = 0; i < length; ++i) work[i] = i < n ? own[i] : 0.0;
    for (Integer j = 0; j < n; j += WIDTH) {
      const Integer width = n - j < WIDTH ? n - j : WIDTH;
      const double *column[WIDTH];
      double value[WIDTH] = {};
      for (int k = 0; k < WIDTH; ++k) column[k] = f.value + f.at[s] + (j + (k < width ? k : 0)) * length;
      for (int k = 0; k < width; ++k) {
        double sum = work[j + k];
        for (int l = 0; l < k; ++l) sum -= column[l][j + k] * value[l];
        own[j + k] = value[k] = sum / column[k][j + k];
      }
      for (Integer i = j + width; i < length; ++i)
        work[i] -= (column[0][i] * value[0] + column[1][i] * value[1]) +
                   (column[2][i] * value[2] + column[3][i] * value[3]);
    }
    const Integer *row = f.row + f.place[s];
    for (Integer i = 0; i < below; ++i) x[row[i]] += work[n + i];
  }
}

Lanes loaded(const double *from) {
  Lanes value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// x ← L⁻ᵀ x for the blocks begin … end, the last one first.
void backward(const Factor &f, Integer begin, Integer end, double *x, double *work) {
  for (Integer s = end; s-- > begin;) {
    const Integer n = f.first[s + 1] - f.first[s], below = f.place[s + 1] - f.place[s], length = n + below;
    double *own = x + f.first[s];
    const Integer *row = f.row + f.place[s];
    for (Integer i = 0; i < n; ++i) work[i] = own[i];
    for (Integer i = 0; i < below; ++i) work[n + i] = x[row[i]];
    for (Integer j = (n + WIDTH - 1) / WIDTH * WIDTH - WIDTH; j >= 0; j -= WIDTH) {
      const Integer width = n - j < WIDTH ? n - j : WIDTH;
      const double *column[WIDTH];
      for (int k = 0; k < WIDTH; ++k) column[k] = f.value + f.at[s] + (j + (k < width ? k : 0)) * length;
      Lanes lanes[WIDTH] = {};
      Integer i = j + width;
      for (; i + LANES <= length; i += LANES) {
        const Lanes other = loaded(work + i);
        for (int k = 0; k < WIDTH; ++k) lanes[k] += loaded(column[k] + i) * other;
      }
      for (Integer k = width; k-- > 0;) {
        double sum = 0.0;
        for (int l = 0; l < LANES; ++l) sum += lanes[k][l];
        for (Integer r = i; r < length; ++r) sum += column[k][r] * work[r];
        for (Integer r = j + k + 1; r < j + width; ++r) sum += column[k][r] * work[r];
        work[j + k] = (work[j + k] - sum) / column[k][j + k];
      }
    }
    for (Integer i = 0; i < n; ++i) own[i] = work[i];
  }
}

}  // namespace

extern "C" {
void forward(const Integer *first, const Integer *place, const Integer *row, const Integer *at, const double *value,
             Integer begin, Integer end, double *x, double *work) {
  forward(Factor{first, place, row, at, value}, begin, end, x, work);
}
void backward(const Integer *first, const Integer *place, const Integer *row, const Integer *at, const double *value,
              Integer begin, Integer end, double *x, double *work) {
  backward(Factor{first, place, row, at, value}, begin, end, x, work);
}
}
