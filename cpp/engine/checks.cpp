#include "engine/checks.hpp"

#include <algorithm>
#include <cfenv>
#include <limits>
#include <stdexcept>
#include <string>
#include <variant>

namespace precipice {
namespace {

void require(bool holds, const std::string& sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

void require_size(const char* name, std::size_t actual, std::size_t expected) {
  require(actual == expected, std::string(name) + " = " + std::to_string(actual) +
                                  " numbers: must be " + std::to_string(expected));
}

void check_curvature(const ProblemSpec& problem, const CurvatureSpec& curvature) {
  const std::size_t rank = curvature.spectrum.sigma.size();
  require(rank > 0, "X = rank 0: must not be zero");
  require_size("d", curvature.spectrum.d.size(), rank);
  require_size("left singular vectors", curvature.left.size(),
               problem.diagonal ? 0 : rank * problem.samples);
  if (problem.diagonal) require_size("sigma", rank, problem.rows);
  if (!curvature.X.empty()) require_size("X for measuring", curvature.X.size(), size(problem.X));
}

void check_top(const RecordPlan& record, std::size_t parameters) {
  const auto top = static_cast<std::size_t>(record.top);
  require(record.eigenvalues == 0 || (record.top >= 1 && top <= parameters),
          "top = " + std::to_string(record.top) + ": must be from 1 to the " +
              std::to_string(parameters) + " parameters");
}

void check_model(const RunSpec& spec, const MinimalistSpec& model) {
  require(model.factors > 0, "depth = 1: must be at least 2");
  require_size("u", size(model.u), spec.problem.features);
  require_size("v", size(model.v), model.factors);
  const RecordPlan& record = spec.loop.record;
  const auto* const curvature = std::get_if<CurvatureSpec>(&spec.curvature);
  require(curvature != nullptr ||
              (record.sharpness == 0 && record.layer_imbalance == 0 && record.eigenvalues == 0),
          "record = curvature: needs the singular value decomposition of X");
  require(record.quantities == 0, "record = quantities: needs the two-layer network");
  check_top(record, spec.problem.features + model.factors);
  if (curvature) check_curvature(spec.problem, *curvature);
}

void check_model(const RunSpec& spec, const TwoLayerSpec& model) {
  const ProblemSpec& problem = spec.problem;
  require(model.width > 0, "width = 0: must be at least 1");
  require_size("W", size(model.W), model.width * problem.features);
  require_size("a", size(model.a), model.width);
  const bool biased = size(model.b2) > 0;
  require_size("b1", size(model.b1), biased ? model.width : 0);
  require_size("b2", size(model.b2), biased ? 1 : 0);
  require(!biased || !problem.diagonal, "bias = true: needs primal coordinates");
  require_size("scale", size(model.scale), 1);
  const bool batches = spec.optimizer.batch.has_value();
  require_size("kappa", size(model.kappa), batches ? 3 : 1);
  require_size("kappa_L", size(model.kappa_L), size(model.kappa));
  require(spec.loop.record.layer_imbalance == 0,
          "record = layer_imbalance: the two-layer network has none");
  const auto* const curvature = std::get_if<TwoLayerCurvatureSpec>(&spec.curvature);
  const RecordPlan& record = spec.loop.record;
  require(curvature != nullptr ||
              (record.sharpness == 0 && record.eigenvalues == 0 && record.quantities == 0),
          "record = curvature: needs X and y in float64");
  check_top(record, size(model.W) + size(model.a) + size(model.b1) + size(model.b2));
  if (!curvature) return;
  require_size("X for measuring", curvature->X.size(), size(problem.X));
  require_size("y for measuring", curvature->y.size(), problem.rows);
  if (spec.loop.record.quantities > 0)
    require_size("W at the start", curvature->W_at_start.size(), size(model.W));
}

void check_optimizer(const RunSpec& spec) {
  const OptimizerSpec& optimizer = spec.optimizer;
  const std::vector<std::int64_t>& first = optimizer.first_step;
  require(!first.empty() && first.front() == 0 && std::is_sorted(first.begin(), first.end()),
          "schedule = steps out of order: must ascend from 0");
  require_size("lr", size(optimizer.step_sizes), first.size());
  require_size("momentum", size(optimizer.momentum), 1);
  if (optimizer.event) require_size("lr after the event", size(optimizer.event->step_size), 1);
  if (optimizer.batch) {
    const std::size_t size = optimizer.batch->size;
    require(size > 0 && size <= spec.problem.rows,
            "batch_size = " + std::to_string(size) + ": must be from 1 to the number of samples");
    require(!spec.problem.diagonal || size == spec.problem.rows,
            "batch_size = " + std::to_string(size) + ": needs primal coordinates");
  }
  const bool flows = optimizer.rule == UpdateRule::runge_kutta;
  require(flows == optimizer.flow.has_value(), "flow = mismatch: belongs to runge_kutta");
  require(!flows || !optimizer.batch, "batch_size = given: gradient flow is of the full batch");
  require(!flows || optimizer.flow->step || spec.curvature.index() != 0,
          "flow = adaptive: needs the surface that sharpness is measured on");
}

}  // namespace

void check_shapes(const RunSpec& spec) {
  const ProblemSpec& problem = spec.problem;
  require(problem.samples > 0 && problem.rows > 0 && problem.features > 0,
          "X = empty: must have rows and columns");
  require(!problem.diagonal || problem.rows == problem.features, "X = diagonal: must be square");
  require_size("X", size(problem.X),
               problem.diagonal ? problem.rows : problem.rows * problem.features);
  require_size("y", size(problem.y), problem.rows);
  require(spec.loop.steps >= 0, "steps = negative: must be at least 0");
  check_optimizer(spec);
  std::visit([&](const auto& model) { check_model(spec, model); }, spec.model);
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

}  // namespace precipice
