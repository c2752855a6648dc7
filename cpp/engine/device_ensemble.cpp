#include "engine/device_ensemble.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "engine/device_members.hpp"

namespace precipice {
namespace {

class DeviceEnsemble final : public Ensemble {
 public:
  DeviceEnsemble(const EnsembleSpec& spec, const DeviceTable& table, const DeviceTuning& tuning)
      : max_seconds_(spec.run.loop.max_seconds),
        members_(spec, table, tuning),
        seen_(members_.size()) {}

  EnsembleRecords advance(double seconds) override {
    const std::lock_guard lock(busy_);
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const double before = seconds_;
    EnsembleRecords records;
    while (running() && seconds_ - before < seconds && !stopped_) {
      members_.run_chunk(max_seconds_ && seconds_ >= *max_seconds_);
      for (std::size_t i = 0; i < members_.size(); ++i) {
        append_records(i, records);
        show(i);
      }
      seconds_ = before + std::chrono::duration<double>(Clock::now() - start).count();
    }
    return records;
  }

  void stop() noexcept override { stopped_ = true; }
  void resume() noexcept override { stopped_ = false; }
  std::size_t size() const override { return members_.size(); }
  bool running() const override {
    return std::any_of(seen_.begin(), seen_.end(),
                       [](const Seen& seen) { return seen.outcome == Outcome::running; });
  }
  Outcome outcome(std::size_t member) const override { return seen_.at(member).outcome; }
  std::int64_t step(std::size_t member) const override { return seen_.at(member).step; }
  std::vector<NamedValues> parameters(std::size_t member) override {
    const std::lock_guard lock(busy_);
    return members_.parameters(member);
  }
  LoopState state(std::size_t member) override {
    const std::lock_guard lock(busy_);
    return members_.state(member, seconds_);
  }
  void restore(std::size_t member, const LoopState& state) override {
    const std::lock_guard lock(busy_);
    members_.restore(member, state);
    seconds_ = state.seconds;
    show(member);
  }

 private:
  void append_records(std::size_t member, EnsembleRecords& all) {
    Records records;
    members_.append_records(member, records);
    const auto number = static_cast<std::int64_t>(member);
    for (std::size_t i = 0; i < records.loss.step.size(); ++i) {
      all.loss.member.push_back(number);
      all.loss.step.push_back(records.loss.step[i]);
      all.loss.value.push_back(records.loss.value[i]);
    }
    for (const LossWindow& window : records.windows) {
      all.windows.member.push_back(number);
      all.windows.window.push_back(window);
    }
    for (std::size_t i = 0; i < records.sharpness.step.size(); ++i) {
      all.sharpness.member.push_back(number);
      all.sharpness.step.push_back(records.sharpness.step[i]);
      all.sharpness.value.push_back(records.sharpness.value[i]);
    }
  }

  void show(std::size_t member) {
    seen_[member].outcome = members_.status(member).outcome;
    seen_[member].step = members_.status(member).step;
  }

  struct Seen {
    std::atomic<Outcome> outcome = Outcome::running;
    std::atomic<std::int64_t> step = 0;
  };
  std::optional<double> max_seconds_;
  DeviceMembers members_;
  std::vector<Seen> seen_;  // by any thread, as of the last chunk
  double seconds_ = 0;      // spent in advance()
  std::atomic<bool> stopped_ = false;
  std::mutex busy_;  // one thread at a time; stop() is for any
};

}  // namespace

std::unique_ptr<Ensemble> make_device_ensemble(const EnsembleSpec& spec, const DeviceTable& table,
                                               const DeviceTuning& tuning) {
  const RecordPlan& record = spec.run.loop.record;
  if (record.parameters > 0 || record.layer_imbalance > 0 || record.eigenvalues > 0 ||
      record.measured_parameters)
    throw std::invalid_argument(
        "record = other series: an ensemble records loss, windows and sharpness");
  return std::make_unique<DeviceEnsemble>(spec, table, tuning);
}

}  // namespace precipice
