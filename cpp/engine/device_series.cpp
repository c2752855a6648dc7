#include "engine/device_series.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

#include "numbers/native.hpp"
#include "training/curvature.hpp"
#include "training/two_layer_curvature.hpp"

namespace precipice {

std::vector<ParameterPlace> parameter_places(const RunSpec& spec) {
  const std::size_t features = spec.problem.features;
  if (const auto* network = std::get_if<TwoLayerSpec>(&spec.model)) {
    const std::size_t weights = network->width * features;
    return {{"W", 0, weights}, {"a", weights, weights + network->width}};
  }
  const std::size_t factors = std::get<MinimalistSpec>(spec.model).factors;
  return {{"u", 0, features}, {"v", features, features + factors}};
}

void ExportedState::parameter(const std::string& name, std::vector<double>& out) const {
  out.clear();
  const double* const numbers = numbers_.parameters.data();
  for (const ParameterPlace& place : places_)
    if (place.name == name) out.assign(numbers + place.begin, numbers + place.end);
}

// The curvature of whichever model.
class DeviceSeries::Measurements {
 public:
  Measurements() = default;
  Measurements(const Measurements&) = delete;
  Measurements& operator=(const Measurements&) = delete;
  virtual ~Measurements() = default;

  virtual void observe(const ExportedState& state) = 0;
  virtual void record_sharpness(Records::Sharpness& series) = 0;
  virtual void record_eigenvalues(Records::Eigenvalues& series) = 0;
  virtual std::vector<double> layer_imbalance() const = 0;
  virtual std::vector<double> state() const = 0;
  virtual void restore(const std::vector<double>& state) = 0;
};

template <class Curvature>
class DeviceSeries::MeasurementsOf final : public Measurements {
 public:
  template <class Spec, class Model>
  MeasurementsOf(const Spec& surface, const RunSpec& spec, const Model& model)
      : curvature_(surface, spec.problem, model, spec.loop.record) {}

  void observe(const ExportedState& state) override { curvature_.observe(state); }
  void record_sharpness(Records::Sharpness& series) override {
    curvature_.record_sharpness(series);
  }
  void record_eigenvalues(Records::Eigenvalues& series) override {
    curvature_.record_eigenvalues(series);
  }
  std::vector<double> layer_imbalance() const override { return curvature_.layer_imbalance(); }
  std::vector<double> state() const override { return curvature_.state(); }
  void restore(const std::vector<double>& state) override { curvature_.restore(state); }

 private:
  Curvature curvature_;
};

DeviceSeries::DeviceSeries(const RunSpec& spec)
    : plan_(spec.loop.record),
      places_(parameter_places(spec)),
      text_(spec.arithmetic[Stage::parameters].precision) {
  if (const auto* surface = std::get_if<CurvatureSpec>(&spec.curvature))
    measurements_ = std::make_unique<MeasurementsOf<MinimalistCurvature>>(
        *surface, spec, std::get<MinimalistSpec>(spec.model));
  if (const auto* surface = std::get_if<TwoLayerCurvatureSpec>(&spec.curvature))
    measurements_ = std::make_unique<MeasurementsOf<TwoLayerCurvature>>(
        *surface, spec, std::get<TwoLayerSpec>(spec.model));
  if (measurements_) unmeasured_ = measurements_->state();
}

DeviceSeries::~DeviceSeries() = default;

void DeviceSeries::take(const ExportedNumbers& numbers, bool last, Place& place, Records& records) {
  const std::int64_t step = numbers.step;
  const bool fresh = step > place.recorded;
  // Recorded now: what is due at a step that was not recorded, and at the last one what is not.
  const auto wanted = [&](std::int64_t cadence) {
    return cadence > 0 && (due(cadence, step) ? fresh : last);
  };
  const bool measures = place.cadence.due(step) || (last && place.cadence.unmeasured(step));
  const bool imbalance = wanted(plan_.layer_imbalance), eigenvalues = wanted(plan_.eigenvalues);
  if (measures || imbalance || eigenvalues) {
    measurements_->restore(place.curvature.empty() ? unmeasured_ : place.curvature);
    measurements_->observe(ExportedState(places_, numbers));
    if (measures) {
      measurements_->record_sharpness(records.sharpness);
      records.sharpness.step.push_back(step);
      place.cadence.observe(step, records.sharpness.value.back(), 1, false);
      if (plan_.measured_parameters) record_parameters(numbers, records.measured);
    }
    if (imbalance) {
      records.layer_imbalance.step.push_back(step);
      for (const double c : measurements_->layer_imbalance())
        records.layer_imbalance.value.push_back(c);
    }
    if (eigenvalues) {
      records.eigenvalues.step.push_back(step);
      measurements_->record_eigenvalues(records.eigenvalues);
    }
    place.curvature = measurements_->state();
  }
  if (wanted(plan_.parameters)) record_parameters(numbers, records.parameters);
  if (fresh) place.recorded = step;
}

void DeviceSeries::record_parameters(const ExportedNumbers& numbers, Records::Parameters& series) {
  series.step.push_back(numbers.step);
  for (const double x : numbers.parameters) series.text.push_back(exact(x));
}

std::string DeviceSeries::exact(double x) {
  const auto range = ExponentRange::widest();
  to_mpfr(text_, x);
  return exact_text(text_);
}

std::vector<NamedValues> DeviceSeries::named(const std::vector<double>& parameters) {
  std::vector<NamedValues> values;
  for (const ParameterPlace& place : places_) {
    values.push_back({place.name, {}});
    for (std::size_t i = place.begin; i < place.end; ++i)
      values.back().text.push_back(exact(parameters[i]));
  }
  return values;
}

ExactVector DeviceSeries::joined(const std::vector<NamedValues>& values) const {
  std::vector<std::string> texts(places_.back().end);
  std::size_t found = 0;
  for (const NamedValues& given : values) {
    std::size_t size = 0;
    for (const ParameterPlace& place : places_) {
      if (place.name != given.name) continue;
      size = place.end - place.begin;
      for (std::size_t i = 0; i < std::min(size, given.text.size()); ++i)
        texts[place.begin + i] = given.text[i];
    }
    if (size != given.text.size())
      throw std::invalid_argument("state = " + given.name + " of " +
                                  std::to_string(given.text.size()) + " numbers: must be " +
                                  std::to_string(size));
    found += size;
  }
  if (found != texts.size()) throw std::invalid_argument("state = parameters: must be whole");
  return texts;
}

}  // namespace precipice
