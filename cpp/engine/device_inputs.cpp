#include "engine/device_inputs.hpp"

#include <numeric>
#include <string>
#include <variant>

#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"

namespace precipice {
namespace {

// Whether the format's numbers are those of T.
template <class T>
bool is_native(const Format& format) {
  return native_family(format) == (sizeof(T) == sizeof(float) ? Family::float32 : Family::float64);
}

template <class T>
T rounded(const ExactVector& values, std::size_t i, const Format& format) {
  std::vector<T> one;
  const auto pick = [i](const auto& all) {
    return ExactVector(std::decay_t<decltype(all)>{all[i]});
  };
  append_rounded(one, std::visit(pick, values), format);
  return one[0];
}

// a * (1/n) and a / n round the same number where 1/n is one.
template <class T>
DeviceInteger<T> device_integer(std::size_t n, const Format& format) {
  const T value = rounded<T>(std::vector<double>{static_cast<double>(n)}, 0, format);
  const bool power_of_two = (n & (n - 1)) == 0;
  return {value, is_native<T>(format) && power_of_two ? T(1) / value : T(0)};
}

template <class T>
std::vector<T> transposed(const std::vector<T>& by_rows, std::size_t rows, std::size_t columns) {
  std::vector<T> by_columns(by_rows.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < columns; ++k) by_columns[k * rows + i] = by_rows[i * columns + k];
  return by_columns;
}

}  // namespace

template <class T>
void append_rounded(std::vector<T>& out, const ExactVector& values, const Format& format) {
  const auto* const doubles = std::get_if<std::vector<double>>(&values);
  if (doubles && is_native<T>(format)) {
    for (const double x : *doubles) out.push_back(static_cast<T>(x));
    return;
  }
  const ExponentRange range = ExponentRange::widest();
  MpfrNumber number(format.precision);
  for (std::size_t i = 0; i < size(values); ++i) {
    round_to_format(number, values, i, format);
    T x;
    from_mpfr(x, number);
    out.push_back(x);
  }
}

template <class T>
DeviceInputs<T>::DeviceInputs(const RunSpec& spec) {
  const Format& format = spec.arithmetic[Stage::parameters];
  const ProblemSpec& given = spec.problem;
  append_rounded(X, given.X, format);
  append_rounded(y, given.y, format);
  if (!given.diagonal) X_columns = transposed(X, given.rows, given.features);
  problem.rows = static_cast<std::uint32_t>(given.rows);
  problem.features = static_cast<std::uint32_t>(given.features);
  problem.diagonal = given.diagonal;
  problem.loss = given.loss;
  problem.two = device_integer<T>(2, format);
  problem.n = device_integer<T>(given.samples, format);
  problem.two_n = device_integer<T>(2 * given.samples, format);
  problem.loss_factor = loss_factor(given.loss, given.samples);
  loss_of_labels =
      problem.loss_factor * std::accumulate(y.begin(), y.end(), 0.0, [](double s, T x) {
        return s + static_cast<double>(x) * static_cast<double>(x);
      });
  if (const auto* network = std::get_if<TwoLayerSpec>(&spec.model)) {
    model = DeviceModel::two_layer;
    problem.factors = static_cast<std::uint32_t>(network->width);
    problem.c = rounded<T>(network->scale, 0, format);
    problem.kappa = rounded<T>(network->kappa, 0, format);
    parameters = problem.factors * (problem.features + 1);
    exported_preactivations = 0;
    return;
  }
  model = DeviceModel::minimalist;
  problem.factors = static_cast<std::uint32_t>(std::get<MinimalistSpec>(spec.model).factors);
  parameters = problem.features + problem.factors;
  exported_preactivations = problem.rows;
}

DeviceRules rules_of(const RunSpec& spec) {
  const LoopSpec& loop = spec.loop;
  const RecordPlan& plan = loop.record;
  DeviceRules rules{};
  rules.order = spec.arithmetic.order;
  rules.stochastic = spec.arithmetic.stochastic();
  rules.steps = loop.steps;
  rules.tests_blowup = loop.blowup_factor.has_value();
  rules.blowup_factor = loop.blowup_factor.value_or(0);
  rules.tests_convergence = loop.tolerance.has_value();
  rules.tolerance = loop.tolerance.value_or(0);
  rules.loss_floor = loop.loss_floor;
  rules.loss = plan.loss;
  rules.window = plan.window;
  rules.sharpness = plan.sharpness;
  // A state that no series is due at is passed over by the host.
  rules.states = std::gcd(plan.parameters, std::gcd(plan.layer_imbalance, plan.eigenvalues));
  return rules;
}

template void append_rounded(std::vector<float>&, const ExactVector&, const Format&);
template void append_rounded(std::vector<double>&, const ExactVector&, const Format&);
template struct DeviceInputs<float>;
template struct DeviceInputs<double>;

}  // namespace precipice
