// The kernels for any CPU with 64-bit words.
#include <utility>

#include "limbs/generic/elements.hpp"
#include "limbs/generic/layout.hpp"
#include "limbs/generic/sums.hpp"
#include "limbs/kernels.hpp"

namespace precipice::limbs {
namespace {

using namespace generic;

// What K limbs are served by.
struct KernelsOfLimbs {
  decltype(Kernels::multiply) multiply;
  decltype(Kernels::add) add;
  decltype(Kernels::subtract) subtract;
  decltype(Kernels::divide) divide;
  decltype(Kernels::sums) sums;
  decltype(Kernels::prepare) prepare;
  decltype(Kernels::sum) sum;
};

template <int... K>
constexpr auto kernels_by_limbs(std::integer_sequence<int, K...>) {
  struct Table {
    KernelsOfLimbs of[sizeof...(K)];
  };
  return Table{{{&generic::multiply<K + 1>, &generic::add<K + 1>, &generic::subtract<K + 1>,
                 &generic::divide<K + 1>, &generic::sums<K + 1>, &generic::prepare<K + 1>,
                 &generic::sum<K + 1>}...}};
}
constexpr auto table = kernels_by_limbs(std::make_integer_sequence<int, greatest_limbs>());

// The function of that name for p's limbs.
template <auto KernelsOfLimbs::* kernel, class... Arguments>
void call(const Precision& p, Arguments... arguments) {
  (table.of[p.limbs - 1].*kernel)(p, arguments...);
}

}  // namespace

const Kernels generic_kernels = {
    .precision = &generic::precision,
    .multiply = &call<&KernelsOfLimbs::multiply>,
    .add = &call<&KernelsOfLimbs::add>,
    .subtract = &call<&KernelsOfLimbs::subtract>,
    .divide = &call<&KernelsOfLimbs::divide>,
    .sums = &call<&KernelsOfLimbs::sums>,
    .prepare = &call<&KernelsOfLimbs::prepare>,
    .sum = &call<&KernelsOfLimbs::sum>,
    .fix = nullptr,
    .exact_sums = nullptr,
};

}  // namespace precipice::limbs
