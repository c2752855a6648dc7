// What the host makes of states that a device has exported: sharpness, eigenvalues, layer imbalance
// and exact parameters, as training/loop.hpp records them, by the same measurements.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/device_runs.hpp"
#include "engine/run_spec.hpp"
#include "numbers/mpfr_number.hpp"
#include "training/sharpness_cadence.hpp"

namespace precipice {

// The parameters of a model, each after the other: where one begins.
struct ParameterPlace {
  std::string name;
  std::size_t begin, end;
};
std::vector<ParameterPlace> parameter_places(const RunSpec& spec);

// What a curvature looks at of a trainee (training/curvature.hpp).
class ExportedState {
 public:
  ExportedState(const std::vector<ParameterPlace>& places, const ExportedNumbers& numbers)
      : places_(places), numbers_(numbers) {}

  void preactivations(std::vector<double>& f) const { f = numbers_.preactivations; }
  // One that the model has not is empty.
  void parameter(const std::string& name, std::vector<double>& out) const;

 private:
  const std::vector<ParameterPlace>& places_;
  const ExportedNumbers& numbers_;
};

// One for all members, one measurement after the other; what a member's next one starts from is
// the member's.
class DeviceSeries {
 public:
  struct Place {
    explicit Place(const RecordPlan& plan) : cadence(plan) {}
    SharpnessCadence cadence;
    std::int64_t recorded = -1;     // steps up to it have been recorded, but for their sharpness
    std::vector<double> curvature;  // empty before the first measurement
  };

  explicit DeviceSeries(const RunSpec& spec);
  ~DeviceSeries();

  // A state that the device has exported; `last`: of the run, where what is not due is recorded.
  void take(const ExportedNumbers& numbers, bool last, Place& place, Records& records);
  // The state of a curvature that has not measured yet.
  const std::vector<double>& unmeasured() const { return unmeasured_; }

  std::vector<NamedValues> named(const std::vector<double>& parameters);
  // Back: every parameter named, each with its numbers.
  ExactVector joined(const std::vector<NamedValues>& values) const;

 private:
  class Measurements;
  template <class Curvature>
  class MeasurementsOf;

  void record_parameters(const ExportedNumbers& numbers, Records::Parameters& series);
  std::string exact(double x);

  RecordPlan plan_;
  std::vector<ParameterPlace> places_;
  MpfrNumber text_;  // for conversions
  std::unique_ptr<Measurements> measurements_;
  std::vector<double> unmeasured_;
};

}  // namespace precipice
