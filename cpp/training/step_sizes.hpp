// The step size of each step: pieces of a schedule, and what follows an event.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "training/optimizer_spec.hpp"

namespace precipice {

template <class Space>
class StepSizes {
 public:
  static constexpr std::int64_t never = -1;

  StepSizes(Space& space, const OptimizerSpec& spec)
      : first_step_(spec.first_step),
        values_(space.array(first_step_.size() + 1, Stage::update)),
        pending_(spec.event.has_value()) {
    for (std::size_t i = 0; i < first_step_.size(); ++i)
      space.assign(values_, i, spec.step_sizes, i);
    if (spec.event) space.assign(values_, first_step_.size(), spec.event->step_size, 0);
  }

  typename Space::Scalar at(std::int64_t step) const {
    return Space::element_of(values_, index(step));
  }
  double as_double(std::int64_t step) const { return Space::to_double(values_, index(step)); }

  // The event has come at this step; another step size holds from its update on.
  void switch_at(std::int64_t step) { switched_ = step; }
  bool pending() const { return pending_ && switched_ == never; }
  std::int64_t switched() const { return switched_; }

  // From which step on the step size is what it will always be; not before `step` if it may still
  // change.
  std::int64_t constant_since(std::int64_t step) const {
    if (pending()) return std::numeric_limits<std::int64_t>::max();
    if (switched_ != never) return switched_;
    return step >= first_step_.back() ? first_step_.back()
                                      : std::numeric_limits<std::int64_t>::max();
  }

 private:
  std::size_t index(std::int64_t step) const {
    if (switched_ != never && step >= switched_) return first_step_.size();
    const auto next = std::upper_bound(first_step_.begin(), first_step_.end(), step);
    return static_cast<std::size_t>(next - first_step_.begin()) - 1;
  }

  std::vector<std::int64_t> first_step_;
  typename Space::Array values_;  // of the pieces, then of what follows the event
  bool pending_;
  std::int64_t switched_ = never;
};

}  // namespace precipice
