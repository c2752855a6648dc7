// The only switch on the type of numbers, and the checks that come before it.
#include <cfenv>
#include <limits>
#include <stdexcept>
#include <string>

#include "engine/instantiate.hpp"
#include "limbs/limb_kernels.hpp"

namespace precipice {
namespace {

void require(bool holds, const std::string& sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

void require_size(const char* name, std::size_t actual, std::size_t expected) {
  require(actual == expected, std::string(name) + " = " + std::to_string(actual) +
                                  " numbers: must be " + std::to_string(expected));
}

void check_shapes(const RunSpec& spec) {
  const MinimalistSpec& model = spec.model;
  require(model.samples > 0 && model.rows > 0 && model.features > 0,
          "X = empty: must have rows and columns");
  require(model.factors > 0, "depth = 1: must be at least 2");
  const std::size_t entries = model.diagonal ? model.rows : model.rows * model.features;
  require(!model.diagonal || model.rows == model.features, "X = diagonal: must be square");
  require_size("X", size(model.X), entries);
  require_size("y", size(model.y), model.rows);
  require_size("u", size(model.u), model.features);
  require_size("v", size(model.v), model.factors);
  require_size("lr", size(model.step_size), 1);
  require(spec.loop.steps >= 0, "steps = negative: must be at least 0");
  const RecordPlan& record = spec.loop.record;
  require(spec.curvature || (record.sharpness == 0 && record.layer_imbalance == 0),
          "record = sharpness: needs the singular value decomposition of X");
  if (!spec.curvature) return;
  const std::size_t rank = spec.curvature->spectrum.sigma.size();
  require(rank > 0, "X = rank 0: must not be zero");
  require_size("d", spec.curvature->spectrum.d.size(), rank);
  require_size("left singular vectors", spec.curvature->left.size(),
               model.diagonal ? 0 : rank * model.samples);
  if (model.diagonal) require_size("sigma", rank, model.rows);
  if (!spec.curvature->X.empty())
    require_size("X for measuring", spec.curvature->X.size(), entries);
}

// Another library of the process may have changed how this thread's hardware rounds.
void check_floating_point_state() {
  volatile double smallest_normal = std::numeric_limits<double>::min();
  volatile double half = smallest_normal / 2;
  require(std::fegetround() == FE_TONEAREST && half != 0 && half * 2 == smallest_normal,
          "floating-point state = changed by this process: must round to nearest with subnormals");
  if constexpr (std::numeric_limits<long double>::digits == 64) {
    volatile long double one = 1, ulp = std::numeric_limits<long double>::epsilon();
    require(one + ulp != one, "x87 control word = reduced precision: must be 64 bits");
  }
}

}  // namespace

std::string carried_out_by(const Format& format) {
  if (format.family == Family::mpfr) return arbitrary_precision(cpu_path(), format);
  return availability(format).sentence;
}

std::unique_ptr<Simulation> make_simulation(const RunSpec& spec) {
  check_shapes(spec);
  check_floating_point_state();
  const Availability here = availability(spec.format);
  require(here.available, "precision = " + spec.format.name + ": " + here.sentence);
  switch (spec.format.family) {
    case Family::float32: return simulate_float32(spec);
    case Family::float64: return simulate_float64(spec);
    case Family::float80: return simulate_float80(spec);
    case Family::float128: return simulate_float128(spec);
    case Family::mpfr:
      return limb_kernels(cpu_path(), spec.format) ? simulate_limbs(spec) : simulate_mpfr(spec);
  }
  throw std::invalid_argument("precision = " + spec.format.name + ": unknown family");
}

}  // namespace precipice
