// The training loop of one run on lanes: some steps of training/loop.hpp, with the same outcomes at
// the same steps and the same records. All lanes take the same way through it: what they decide on
// they read from memory that all see, or have counted alike.
//
// Whether an update has moved the parameters is looked at after the next evaluation, which has
// waited for the other lanes anyhow; parameters that have not moved are taken back then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "device/chunk.hpp"
#include "device/lane_memory.hpp"
#include "device/lane_minimalist.hpp"
#include "device/lane_records.hpp"
#include "device/lane_two_layer.hpp"
#include "training/blowup.hpp"

namespace precipice {

template <class Model, class Numbers, class Team>
class LaneLoop {
 public:
  using Space = typename Model::Space;
  using T = typename Numbers::Number;

  PRECIPICE_HOST_DEVICE LaneLoop(Team& team, Space& space, const Chunk<Numbers>& chunk,
                                 Model& model, std::uint32_t run, RunStatus& status,
                                 double* squares)
      : team_(team),
        space_(space),
        rules_(chunk.rules),
        loss_factor_(chunk.problem.loss_factor),
        model_(model),
        status_(status),
        squares_(squares),
        blowup_(rules_.tests_blowup, rules_.blowup_factor, status_.blowup_reference),
        records_(chunk.memory, rules_, run, team.leader(), status_) {}

  // Evaluates, exports and looks at changes in one place each: kernels are twice as large else. So
  // the last evaluation of a chunk is made again by the next one.
  PRECIPICE_HOST_DEVICE void advance(std::int64_t most_steps) {
    bool taken_back = false;
    for (std::int64_t i = 0; running(); ++i) {
      evaluate();
      if (updated_ && !settle()) {
        taken_back = true;
        continue;
      }
      if (!taken_back && (i >= most_steps || !records_.have_room())) break;
      status_.outcome = taken_back ? Outcome::stalled : outcome_at_evaluation();
      record();
      if (!running()) break;
      model_.update(space_);
      swap();
      ++status_.step;
      records_.next_step();
      updated_ = true;
    }
    status_.blowup_reference = blowup_.reference();
  }

 private:
  PRECIPICE_HOST_DEVICE bool running() const { return status_.outcome == Outcome::running; }

  PRECIPICE_HOST_DEVICE void evaluate() {
    space_.begin_step(status_.step);
    model_.evaluate(space_);
    if (blowup_.looks_at(status_.step)) team_.once([&] { *squares_ = sum_of_squares(); });
    // L is one lane's: to read it, all wait for that lane, which has the squares by then.
    loss_ = static_cast<double>(space_.value(model_.loss()));
  }
  // Of the residuals, in float64 and ascending order. The loss is a sum of them, so that every lane
  // sees them.
  PRECIPICE_HOST_DEVICE double sum_of_squares() const {
    const typename Space::Array z = model_.residuals();
    constexpr std::uint32_t ahead = 8;  // loads that no sum waits for
    double squares = 0;
    std::uint32_t i = 0;
    for (; i + ahead <= z.size; i += ahead) {
      double x[ahead];
      for (std::uint32_t j = 0; j < ahead; ++j) x[j] = static_cast<double>(z[i + j]);
      for (std::uint32_t j = 0; j < ahead; ++j) squares += x[j] * x[j];
    }
    for (; i < z.size; ++i) squares += static_cast<double>(z[i]) * static_cast<double>(z[i]);
    return squares;
  }

  // What the last update did; false if nothing, which is taken back then.
  PRECIPICE_HOST_DEVICE bool settle() {
    updated_ = false;
    const Change change = space_.take_change();
    const std::int64_t updated = status_.step - 1;
    if (!change.moved && !rules_.stochastic) {  // theta_{t+1} = theta_t
      swap();
      --status_.step;
      records_.step_back();
      return false;
    }
    // theta_{t-1} and theta_t must both be of this arithmetic.
    status_.returned = change.returned && updated > status_.begun && !rules_.stochastic;
    return true;
  }
  PRECIPICE_HOST_DEVICE void swap() {
    model_.swap();
    status_.flipped = !status_.flipped;
  }

  // What the parameters and residuals of this step say, before any update.
  PRECIPICE_HOST_DEVICE Outcome outcome_at_evaluation() {
    if (status_.returned) return Outcome::locked;  // theta_t = theta_{t-2} != theta_{t-1}
    if (blowup_.looks_at(status_.step)) {
      const double measured = loss_factor_ * *squares_;
      // A finite one is of finite parameters: none that is not recovers in a product or a sum.
      const bool is_finite = measured - measured == 0;
      if (blowup_.enabled() && !is_finite && !model_.finite(space_)) return Outcome::blowup;
      if (blowup_.exceeded(status_.step, measured)) return Outcome::blowup;
    }
    if (rules_.tests_convergence && loss_ - rules_.loss_floor < rules_.tolerance)
      return Outcome::converged;
    if (status_.step == rules_.steps) return Outcome::max_steps;
    return rules_.out_of_time ? Outcome::time : Outcome::running;
  }

  PRECIPICE_HOST_DEVICE void record() {
    const bool last = !running();
    if (records_.state_due(last)) records_.export_state(team_, model_);
    records_.record(loss_, last);
  }

  Team& team_;
  Space& space_;
  const DeviceRules& rules_;
  double loss_factor_;
  Model& model_;
  RunStatus& status_;  // not a member: an object that points into itself stays out of registers
  double* squares_;    // of the residuals; every block of a grid has its own
  BlowupTest blowup_;
  LaneRecords<T> records_;
  double loss_ = 0;
  bool updated_ = false;  // since the last change was taken
};

template <DeviceModel model, class Numbers, class Team>
using LaneModel = std::conditional_t<model == DeviceModel::minimalist,
                                     LaneMinimalist<Numbers, Team>, LaneTwoLayer<Numbers, Team>>;

// Parameters from where they are saved between two chunks to where the run has them; of a grid,
// every block's own copies.
template <class Team, class Model, class T>
PRECIPICE_HOST_DEVICE void load_parameters(Team& team, const Model& model,
                                           const LaneMemory<T>& memory, std::uint32_t side) {
  model.each_parameter(
      [&](const auto& current, const auto& other, std::uint32_t offset, bool copied) {
        if (!copied) return;
        const T* const now = memory.saved(side, offset);
        const T* const before = memory.saved(1 - side, offset);
        team.for_each_in_block(current.size, [&](std::uint32_t i) {
          current[i] = now[i];
          other[i] = before[i];
        });
      });
}
template <class Team, class Model, class T>
PRECIPICE_HOST_DEVICE void save_parameters(Team& team, const Model& model,
                                           const LaneMemory<T>& memory, std::uint32_t side) {
  model.each_parameter(
      [&](const auto& current, const auto& other, std::uint32_t offset, bool copied) {
        if (!copied || !team.leading_block()) return;
        T* const now = memory.saved(side, offset);
        T* const before = memory.saved(1 - side, offset);
        team.for_each_in_block(current.size, [&](std::uint32_t i) {
          now[i] = current[i];
          before[i] = other[i];
        });
      });
}

// Some steps of one run: what a kernel is. `block_memory` is that of the run's block; of a block
// of runs, a thread each, their arrays lie in it interleaved.
template <DeviceModel model, class Numbers, class Team>
PRECIPICE_HOST_DEVICE void train_chunk(Team& team, const Chunk<Numbers>& chunk, std::uint32_t run,
                                       void* block_memory) {
  using T = typename Numbers::Number;
  using Model = LaneModel<model, Numbers, Team>;
  const DeviceMemory<T>& all = chunk.memory;
  RunStatus& status = all.status[run];
  if (status.outcome != Outcome::running) {
    if (team.leader()) status.losses = status.windows = status.exported = 0;
    return;
  }
  LaneShared own;  // of a team of one lane
  LaneShared* const shared = Team::one_lane ? &own : static_cast<LaneShared*>(block_memory);
  unsigned* const change =
      Team::of_grid ? all.change + lane_change_words * std::size_t(run) : shared->change;
  T* const block = reinterpret_cast<T*>(static_cast<LaneShared*>(block_memory) + 1);
  const std::uint32_t slot = team.slot();
  LaneMemory<T> memory(chunk.placement, block + slot,
                       all.work + std::uint64_t(run - slot) * all.work_count + slot,
                       all.parameters + 2 * std::uint64_t(run) * all.parameter_count,
                       all.parameter_count, team.slots());
  Model trained(chunk.problem, memory, all.step_size + run, status.flipped);
  typename Model::Space space(team, chunk.numbers, chunk.rules.order, Model::replicated, change,
                              status.seed, status.run);
  load_parameters(team, trained, memory, status.flipped ? 1 : 0);
  RunStatus now = status;
  LaneLoop<Model, Numbers, Team> loop(team, space, chunk, trained, run, now, &shared->squares);
  team.grid_barrier();
  loop.advance(chunk.most_steps);
  team.grid_barrier();
  save_parameters(team, trained, memory, now.flipped ? 1 : 0);
  if (team.leader()) status = now;
}

}  // namespace precipice
