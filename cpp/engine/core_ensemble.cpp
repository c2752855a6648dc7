// The members of an ensemble on the processor, one after the other.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "engine/ensemble.hpp"

namespace precipice {
namespace {

using Clock = std::chrono::steady_clock;

ExactVector slice(const ExactVector& values, std::size_t begin, std::size_t count) {
  return std::visit(
      [&](const auto& all) -> ExactVector {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(begin);
        return std::decay_t<decltype(all)>(first, first + static_cast<std::ptrdiff_t>(count));
      },
      values);
}

// The vectors that a member's parameters are the entries of, in order.
std::vector<ExactVector*> blocks(MinimalistSpec& model) {
  return {&model.u, &model.v};
}
std::vector<ExactVector*> blocks(TwoLayerSpec& model) {
  return {&model.W, &model.a, &model.b1, &model.b2};
}

void require(bool holds, const std::string& sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

class CoreEnsemble final : public Ensemble {
 public:
  explicit CoreEnsemble(const EnsembleSpec& spec)
      : run_(spec.run), members_(spec.members), ended_(spec.members.size()) {
    check();
    begin(0);  // what is wrong with all of them is said now
  }

  EnsembleRecords advance(double seconds) override {
    const std::lock_guard lock(busy_);
    const auto start = Clock::now();
    EnsembleRecords records;
    while (!stopped_.load() && running()) {
      if (!simulation_) begin(next_);
      const double spent = std::chrono::duration<double>(Clock::now() - start).count();
      if (spent >= seconds) break;
      append(records, simulation_->advance(seconds - spent));
      if (simulation_->outcome() != Outcome::running) end();
    }
    return records;
  }

  void stop() noexcept override {
    stopped_.store(true);
    const std::lock_guard lock(held_);
    if (simulation_) simulation_->stop();
  }
  void resume() noexcept override {
    stopped_.store(false);
    const std::lock_guard lock(held_);
    if (simulation_) simulation_->resume();
  }

  std::size_t size() const override { return members_.size(); }
  bool running() const override { return next_ < members_.size(); }
  Outcome outcome(std::size_t member) const override { return ended_.at(member).outcome; }
  std::int64_t step(std::size_t member) const override {
    const Ended& ended = ended_.at(member);
    if (ended.outcome != Outcome::running) return ended.step;
    if (simulation_ && member == next_) return simulation_->step();
    const auto saved = saved_.find(member);
    return saved == saved_.end() ? 0 : saved->second.step;
  }
  std::vector<NamedValues> parameters(std::size_t member) override {
    const std::lock_guard lock(busy_);
    if (ended_.at(member).outcome != Outcome::running) return ended_[member].parameters;
    if (simulation_ && member == next_) return simulation_->parameters();
    const auto saved = saved_.find(member);
    return saved == saved_.end() ? made(member)->parameters() : saved->second.parameters.current;
  }
  // Of a member that has ended only the outcome, the step and the parameters are left.
  LoopState state(std::size_t member) override {
    const std::lock_guard lock(busy_);
    require(ended_.at(member).outcome == Outcome::running,
            "member = " + std::to_string(member) + ": must not have ended");
    if (simulation_ && member == next_) return simulation_->state();
    const auto saved = saved_.find(member);
    return saved == saved_.end() ? made(member)->state() : saved->second;
  }
  void restore(std::size_t member, const LoopState& state) override {
    const std::lock_guard lock(busy_);
    put_aside();
    ended_.at(member) = {};
    saved_[member] = state;
    next_ = std::min(next_.load(), member);
  }

 private:
  struct Ended {
    Outcome outcome = Outcome::running;
    std::int64_t step = 0;
    std::vector<NamedValues> parameters;
  };

  void check() {
    const RecordPlan& record = run_.loop.record;
    require(!members_.empty(), "members = none: must be at least 1");
    require(record.parameters == 0 && record.layer_imbalance == 0 && record.eigenvalues == 0 &&
                record.quantities == 0 && !record.measured_parameters,
            "record = other series: an ensemble records loss, windows and sharpness");
    require(!run_.optimizer.flow && run_.optimizer.first_step.size() == 1 && !run_.optimizer.event,
            "optimizer = schedule or flow: an ensemble has constant step sizes");
    require(!run_.loop.handover, "handover = given: an ensemble has one arithmetic");
    std::size_t parameters = 0;
    std::visit(
        [&](auto& model) {
          for (const ExactVector* block : blocks(model)) parameters += precipice::size(*block);
        },
        run_.model);
    for (const Member& member : members_) {
      require(precipice::size(member.parameters) == parameters,
              "start = " + std::to_string(precipice::size(member.parameters)) +
                  " numbers: must be " + std::to_string(parameters));
      require(precipice::size(member.step_size) == 1, "lr = several numbers: must be 1 a member");
    }
  }

  std::unique_ptr<Simulation> made(std::size_t index) {
    const Member& member = members_[index];
    std::size_t offset = 0;
    std::visit(
        [&](auto& model) {
          for (ExactVector* block : blocks(model)) {
            const std::size_t count = precipice::size(*block);
            *block = slice(member.parameters, offset, count);
            offset += count;
          }
        },
        run_.model);
    run_.optimizer.step_sizes = member.step_size;
    run_.arithmetic.seed = member.seed;
    run_.arithmetic.run = member.run;
    return make_simulation(run_);
  }
  void begin(std::size_t index) {
    std::unique_ptr<Simulation> simulation = made(index);
    const auto saved = saved_.find(index);
    if (saved != saved_.end()) {
      simulation->restore(saved->second);
      saved_.erase(saved);
    }
    const std::lock_guard lock(held_);
    simulation_ = std::move(simulation);
    if (stopped_.load()) simulation_->stop();
  }
  void end() {
    ended_[next_] = {simulation_->outcome(), simulation_->step(), simulation_->parameters()};
    free();
    while (running() && ended_[next_].outcome != Outcome::running) ++next_;
  }
  void put_aside() {
    if (!simulation_) return;
    saved_[next_] = simulation_->state();
    free();
  }
  void free() {
    const std::lock_guard lock(held_);
    simulation_.reset();
  }

  void append(EnsembleRecords& to, Records&& from) const {
    const auto member = static_cast<std::int64_t>(next_);
    const auto add = [&](auto& series, const auto& recorded) {
      series.member.insert(series.member.end(), recorded.step.size(), member);
      series.step.insert(series.step.end(), recorded.step.begin(), recorded.step.end());
      series.value.insert(series.value.end(), recorded.value.begin(), recorded.value.end());
    };
    add(to.loss, from.loss);
    add(to.sharpness, from.sharpness);
    to.windows.member.insert(to.windows.member.end(), from.windows.size(), member);
    to.windows.window.insert(to.windows.window.end(), from.windows.begin(), from.windows.end());
  }

  RunSpec run_;  // with the start, step size and key of the member made last
  std::vector<Member> members_;
  std::vector<Ended> ended_;
  std::map<std::size_t, LoopState> saved_;  // members that are to go on from there
  std::atomic<std::size_t> next_ = 0;       // the first member that has not ended
  std::unique_ptr<Simulation> simulation_;  // that member's, once its turn has come
  std::atomic<bool> stopped_ = false;
  std::mutex busy_;  // one thread at a time; stop(), resume() are for any
  std::mutex held_;  // for the pointer to the simulation
};

}  // namespace

std::unique_ptr<Ensemble> make_core_ensemble(const EnsembleSpec& spec) {
  return std::make_unique<CoreEnsemble>(spec);
}

}  // namespace precipice
