// Sums of products of carried numbers (numbers/carried.hpp), in every order but `exact`.
//
// One loop serves all products: the sum of terms x_k y_k of many outputs at once, in lanes, where
// the x of a term lie side by side and y is the same for all. Every output keeps its own order, so
// lanes change no bit.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

#include "linalg/carried_kernels.hpp"
#include "numbers/carried.hpp"

namespace precipice::carried_sums {

// The operations of a sum, rounded with the care that the numbers need.
template <class L, Care care>
class Operations {
 public:
  using Number = typename L::Number;
  using Vector = typename L::Vector;

  explicit Operations(const Carried<Number>& format) : own_(format.own), wide_(format.wide) {}

  Vector product(const Vector& a, const Vector& b) const {
    if constexpr (care == Care::wide)
      return static_cast<Number>(wide_.full(static_cast<double>(a) * static_cast<double>(b)));
    if constexpr (care == Care::gradual) return own_.gradual(a * b);
    return rounded(a * b);
  }
  Vector add(const Vector& a, const Vector& b) const { return rounded(a + b); }
  Vector subtract(const Vector& a, const Vector& b) const { return rounded(a - b); }
  Vector fused(const Vector& a, const Vector& b, const Vector& c) const {
    if constexpr (care == Care::native) return L::fma(a, b, c);
    return rounded(sum_to_odd<L>(a * b, c));
  }

 private:
  Vector rounded(const Vector& x) const {
    if constexpr (care == Care::native) return x;
    if constexpr (care == Care::full || care == Care::wide) return own_.full(x);
    return own_.to_precision(x);
  }

  CarriedRounding<L> own_;
  CarriedRounding<typename L::Wide> wide_;
};

// One sum in the making: the first term, then the next, and the next; the sum.
template <class Ops>
struct Sequential {
  using Vector = typename Ops::Vector;
  Vector sum;
  void first(const Ops& ops, const Vector& x, const Vector& y) { sum = ops.product(x, y); }
  void next(const Ops& ops, const Vector& x, const Vector& y) {
    sum = ops.add(sum, ops.product(x, y));
  }
  Vector result(const Ops&) const { return sum; }
};

template <class Ops>
struct Fused {
  using Vector = typename Ops::Vector;
  Vector sum;
  void first(const Ops& ops, const Vector& x, const Vector& y) { sum = ops.product(x, y); }
  void next(const Ops& ops, const Vector& x, const Vector& y) { sum = ops.fused(x, y, sum); }
  Vector result(const Ops&) const { return sum; }
};

template <class Ops>
struct Kahan {
  using Vector = typename Ops::Vector;
  Vector sum, lost;
  void first(const Ops& ops, const Vector& x, const Vector& y) {
    sum = ops.product(x, y);
    lost = Vector{};
  }
  void next(const Ops& ops, const Vector& x, const Vector& y) {
    const Vector term = ops.subtract(ops.product(x, y), lost);
    const Vector updated = ops.add(sum, term);
    lost = ops.subtract(ops.subtract(updated, sum), term);
    sum = updated;
  }
  Vector result(const Ops&) const { return sum; }
};

// P(a, b) splits at the largest power of two below b - a: the sums over such blocks, as a counter
// in binary holds them, and what is left of them at the end from the shortest.
template <class Ops>
struct Pairwise {
  using Vector = typename Ops::Vector;
  Vector block[8 * sizeof(std::size_t)];  // of 2^level terms, where terms has that bit
  std::size_t terms = 0;
  void first(const Ops& ops, const Vector& x, const Vector& y) {
    terms = 0;
    next(ops, x, y);
  }
  void next(const Ops& ops, const Vector& x, const Vector& y) {
    Vector sum = ops.product(x, y);
    std::size_t level = 0;
    for (; (terms >> level & 1) != 0; ++level) sum = ops.add(block[level], sum);
    block[level] = sum;
    ++terms;
  }
  Vector result(const Ops& ops) const {
    std::size_t level = 0;
    while ((terms >> level & 1) == 0) ++level;
    Vector sum = block[level];
    while (terms >> ++level != 0)
      if ((terms >> level & 1) != 0) sum = ops.add(block[level], sum);
    return sum;
  }
};

// Outputs of `vectors` vectors side by side: they share y, and hide the latency of each other's
// operations.
template <class L, std::size_t vectors, template <class> class Sum, class Ops, class T>
inline void sums(const Ops& ops, typename L::Vector (&out)[vectors], const T* x, std::size_t stride,
                 const T* y, std::size_t step, std::size_t begin, std::size_t end) {
  Sum<Ops> sum[vectors];
  for (std::size_t j = 0; j < vectors; ++j)
    sum[j].first(ops, L::load(x + begin * stride + j * L::count), L::broadcast(y[begin]));
  for (std::size_t k = begin + step; k < end; k += step) {
    const auto factor = L::broadcast(y[k]);
    for (std::size_t j = 0; j < vectors; ++j)
      sum[j].next(ops, L::load(x + k * stride + j * L::count), factor);
  }
  for (std::size_t j = 0; j < vectors; ++j) out[j] = sum[j].result(ops);
}

// The whole sum at once.
template <template <class> class Sum>
struct Whole {
  template <class L, std::size_t vectors, class Ops, class T>
  static void take(const Ops& ops, typename L::Vector (&out)[vectors], const SumsOfProducts<T>& of,
                   const T* x) {
    sums<L, vectors, Sum>(ops, out, x, of.stride, of.y, 1, 0, of.terms);
  }
};

// Partial sums, then those by halving: w = 16, 8 ... 1 of 32, s[t] + s[t+w].
struct Blocked {
  template <class L, std::size_t vectors, class Ops, class T>
  static void take(const Ops& ops, typename L::Vector (&out)[vectors], const SumsOfProducts<T>& of,
                   const T* x) {
    const std::size_t partials = number_of_partials(of.partials, of.terms);
    const auto partial = [&](std::size_t t, std::size_t j) {
      return of.work + (t * vectors + j) * L::count;
    };
    for (std::size_t t = 0; t < partials; ++t) {
      const bool strided = of.partials == Partials::strided;
      const std::size_t begin = strided ? t : t * block_terms;
      const std::size_t end = begin + block_terms;
      sums<L, vectors, Sequential>(ops, out, x, of.stride, of.y, strided ? partials : 1, begin,
                                   strided || end > of.terms ? of.terms : end);
      for (std::size_t j = 0; j < vectors; ++j) L::store(partial(t, j), out[j]);
    }
    std::size_t half = 1;
    while (2 * half < partials) half *= 2;
    for (; half > 0; half /= 2)
      for (std::size_t t = 0; t + half < partials && t < half; ++t)
        for (std::size_t j = 0; j < vectors; ++j)
          L::store(partial(t, j), ops.add(L::load(partial(t, j)), L::load(partial(t + half, j))));
    for (std::size_t j = 0; j < vectors; ++j) out[j] = L::load(partial(0, j));
  }
};

// Whole vectors, then those that the last outputs begin.
template <class L, Care care, class Way, class T>
void all_outputs(const Carried<T>& format, const SumsOfProducts<T>& of) {
  const Operations<L, care> ops(format);
  T last[vectors_together * L::count];
  const auto take = [&]<std::size_t vectors>(std::size_t i, T* to) {
    typename L::Vector out[vectors];
    Way::template take<L, vectors>(ops, out, of, of.x + i);
    for (std::size_t j = 0; j < vectors; ++j) L::store(to + j * L::count, out[j]);
  };
  constexpr std::size_t together = vectors_together * L::count;
  std::size_t i = 0;
  for (; i + together <= of.outputs; i += together)
    take.template operator()<vectors_together>(i, of.out + i);
  switch ((of.outputs - i + L::count - 1) / L::count) {
    case 0: return;
    case 1: take.template operator()<1>(i, last); break;
    case 2: take.template operator()<2>(i, last); break;
    case 3: take.template operator()<3>(i, last); break;
    default: take.template operator()<4>(i, last);
  }
  for (std::size_t j = 0; i + j < of.outputs; ++j) of.out[i + j] = last[j];
}

// By care, from native to full.
template <class L, class Way>
constexpr auto of_an_order() {
  using T = typename L::Number;
  return typename CarriedKernels<T>::OfAnOrder{
      all_outputs<L, Care::native, Way, T>, all_outputs<L, Care::bits, Way, T>,
      all_outputs<L, Care::gradual, Way, T>, all_outputs<L, Care::full, Way, T>};
}

// Of narrow formats, in float64.
template <class L>
constexpr SumKernel<typename L::Number> fused_kernel() {
  if constexpr (sizeof(typename L::Number) == sizeof(double))
    return all_outputs<L, Care::full, Whole<Fused>, double>;
  return nullptr;
}

template <class L>
constexpr SumKernel<typename L::Number> native_fused_kernel() {
  return all_outputs<L, Care::native, Whole<Fused>, typename L::Number>;
}

template <class L>
constexpr CarriedKernels<typename L::Number> kernels_over(
    const SumKernel<typename L::Number>& fused_native) {
  return {vectors_together * L::count,
          of_an_order<L, Whole<Sequential>>(),
          of_an_order<L, Blocked>(),
          of_an_order<L, Whole<Pairwise>>(),
          of_an_order<L, Whole<Kahan>>(),
          fused_kernel<L>(),
          &fused_native};
}

}  // namespace precipice::carried_sums
