#include "engine/device_simulation.hpp"

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/device_members.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"

namespace precipice {
namespace {

// Exact numbers as text.
std::vector<std::string> texts(const ExactVector& values) {
  if (const auto* given = std::get_if<std::vector<std::string>>(&values)) return *given;
  std::vector<std::string> all;
  MpfrNumber number(std::numeric_limits<double>::digits);
  for (const double x : std::get<std::vector<double>>(values)) {
    to_mpfr(number, x);
    all.push_back(exact_text(number));
  }
  return all;
}
ExactVector joined(const ExactVector& a, const ExactVector& b) {
  const auto append = [](auto first, const auto& second) -> ExactVector {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  };
  const auto* const x = std::get_if<std::vector<double>>(&a);
  const auto* const y = std::get_if<std::vector<double>>(&b);
  return x && y ? append(*x, *y) : append(texts(a), texts(b));
}

// The run's own start, step size and key.
Member member_of(const RunSpec& spec) {
  const auto* const network = std::get_if<TwoLayerSpec>(&spec.model);
  const auto* const minimalist = std::get_if<MinimalistSpec>(&spec.model);
  return {network ? joined(network->W, network->a) : joined(minimalist->u, minimalist->v),
          spec.optimizer.step_sizes, spec.arithmetic.seed, spec.arithmetic.run};
}

class DeviceSimulation final : public Simulation {
 public:
  DeviceSimulation(const RunSpec& spec, const DeviceTable& table, const DeviceTuning& tuning)
      : max_seconds_(spec.loop.max_seconds), members_({spec, {member_of(spec)}}, table, tuning) {}

  Records advance(double seconds) override {
    const std::lock_guard lock(busy_);
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const double before = seconds_;
    Records records;
    while (outcome_ == Outcome::running && seconds_ - before < seconds && !stopped_) {
      members_.run_chunk(max_seconds_ && seconds_ >= *max_seconds_);
      members_.append_records(0, records);
      step_ = members_.status(0).step;
      outcome_ = members_.status(0).outcome;
      seconds_ = before + std::chrono::duration<double>(Clock::now() - start).count();
    }
    return records;
  }

  void stop() noexcept override { stopped_ = true; }
  void resume() noexcept override { stopped_ = false; }
  Outcome outcome() const override { return outcome_; }
  std::int64_t step() const override { return step_; }
  std::vector<NamedValues> parameters() override {
    const std::lock_guard lock(busy_);
    return members_.parameters(0);
  }
  LoopState state() override {
    const std::lock_guard lock(busy_);
    return members_.state(0, seconds_);
  }
  void restore(const LoopState& state) override {
    const std::lock_guard lock(busy_);
    members_.restore(0, state);
    step_ = state.step;
    seconds_ = state.seconds;
  }
  void take_over(const LoopState& state) override {
    LoopState taken = state;
    taken.begun = taken.step;
    taken.returned = false;
    restore(taken);
  }
  double step_size() const override { return members_.step_size(0); }
  std::int64_t switched() const override { return -1; }

 private:
  std::optional<double> max_seconds_;
  DeviceMembers members_;
  double seconds_ = 0;  // spent in advance()
  std::atomic<bool> stopped_ = false;
  std::atomic<std::int64_t> step_ = 0;
  std::atomic<Outcome> outcome_ = Outcome::running;
  std::mutex busy_;  // one thread at a time; stop(), step() and outcome() are for any
};

}  // namespace

std::unique_ptr<Simulation> make_device_simulation(const RunSpec& spec, const DeviceTable& table,
                                                   const DeviceTuning& tuning) {
  return std::make_unique<DeviceSimulation>(spec, table, tuning);
}

}  // namespace precipice
