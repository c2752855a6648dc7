// Rows gathered into a matrix of their own, copies, and values that replace others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "laws_of_sums.hpp"
#include "subject.hpp"

namespace precipice::test {

// Ascending indices below n.
template <class Numbers>
std::vector<std::size_t> some_of(Numbers& draws, std::size_t n, std::size_t count) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t(0));
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + draws.below(n - i)]);
  all.resize(count);
  std::sort(all.begin(), all.end());
  return all;
}

// One place, for batches one after the other: full ones, and smaller ones in between.
template <class Space>
void laws_of_gathering(Subject<Space>& on, std::size_t n, std::size_t d, Kind kind) {
  Space& space = on.space;
  const Values x = on.draws.numbers(n * d, kind), y = on.draws.numbers(n, kind);
  const auto matrix = space.matrix(n, d, texts(x));
  const auto labels = on.array(y);
  const std::size_t most = 1 + on.draws.below(n);
  auto place = space.rows_like(matrix, most);
  auto place_of_labels = space.array(most);
  for (const std::size_t count : {most, 1 + on.draws.below(most), most}) {
    const std::vector<std::size_t> rows = some_of(on.draws, n, count);
    Values batch, batch_labels;
    for (const std::size_t i : rows) {
      const auto row = x.begin() + static_cast<std::ptrdiff_t>(i * d);
      batch.insert(batch.end(), row, row + static_cast<std::ptrdiff_t>(d));
      batch_labels.push_back(y[i]);
    }
    space.gather(place, matrix, rows.data(), count);
    place_of_labels.size = count;
    space.gather(place_of_labels, labels, rows.data(), count);
    on.expect("labels of a batch", place_of_labels, batch_labels);
    const Values u = on.draws.numbers(d, kind), z = on.draws.numbers(count, kind);
    const auto f_out = on.array(z), g_out = on.array(u);
    products_by_blocks(on, place, f_out, on.array(u), g_out, on.array(z));
    on.expect("X u of a batch", f_out, on.oracle.matvec(batch, u));
    on.expect("X^T z of a batch", g_out, on.oracle.matvec_transposed(batch, z));
    laws_of_iteration(on, place, count);
  }
}

template <class Space>
void laws_of_replacing(Subject<Space>& on, std::size_t n, Kind kind) {
  const Values current = on.draws.numbers(n, kind), before = on.draws.numbers(n, kind);
  Values nudged = current;
  const std::size_t odd = on.draws.below(n);
  nudged[odd] = on.oracle.next_above(current[odd]);
  const auto same = [](const Values& a, const Values& b) {
    return std::equal(a.begin(), a.end(), b.begin(), [](const Slow& p, const Slow& q) {
      return mpfr_number_p(p.get()) && mpfr_equal_p(p.get(), q.get());
    });
  };
  for (const Values& value : {current, before, nudged, on.draws.numbers(n, kind)}) {
    const auto next = on.array(before);
    const Change change = on.space.replace(next, on.array(current), on.array(value));
    on.expect("replaced", next, value);
    CHECK(change.moved == !same(value, current), on.format.name, n, change.moved);
    CHECK(change.returned == same(value, before), on.format.name, n, change.returned);
    const auto copy = on.space.array(n);
    on.space.copy(copy, next);
    on.expect("copied", copy, value);
  }
}

}  // namespace precipice::test
