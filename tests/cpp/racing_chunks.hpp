// Whole runs through the training loop of a device, in chunks, by the lanes of a Team.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/lane_loop.hpp"
#include "linalg/host_team.hpp"
#include "racing_runs.hpp"
#include "racing_team.hpp"

namespace precipice::test {

// A run and what becomes of it. Everything is recorded somewhere between the ends.
template <DeviceModel model>
class RacingDevice {
 public:
  using Numbers = NativeNumbers<double>;

  RacingDevice(const RacingProblem& problem, double step_size, DeviceTeam team)
      : step_size_(step_size), parameters_(2 * count(problem)) {
    std::copy(problem.first.begin(), problem.first.end(), parameters_.begin());
    std::copy(problem.second.begin(), problem.second.end(),
              parameters_.begin() + static_cast<std::ptrdiff_t>(problem.first.size()));
    status_.recorded = -1;
    status_.blowup_reference = 10;
    const auto parameters = static_cast<std::uint32_t>(count(problem));
    const std::uint32_t measured = model == DeviceModel::minimalist ? problem.rows : 0;
    const bool in_block = team == DeviceTeam::block;
    const double n = problem.rows;
    chunk_.problem = {problem.x.data(),
                      problem.x_columns.data(),
                      problem.y.data(),
                      problem.rows,
                      problem.columns,
                      problem.factors,
                      problem.diagonal,
                      Loss::mean,
                      {2, 0.5},
                      {n, 0},
                      {2 * n, 0},
                      0.5,
                      0.25,
                      1 / n};
    chunk_.rules = {problem.order, false, false, 11, true, true, 1e3, 1e-9, 0, 3, 4, 5, 3};
    exported_.resize(most * (parameters + measured));
    chunk_.memory = {&status_,   &step_size_, parameters_.data(),
                     work_,      words_,      losses_,
                     windows_,   steps_,      exported_.data(),
                     parameters, 0,           parameters + measured,
                     most,       most,        most};
    chunk_.placement = {team, in_block, in_block, 0};
    chunk_.runs = 1;
    chunk_.most_steps = 4;
  }

  // launch(kernel) has every lane of a team call kernel(team, memory of its block).
  template <class Launch>
  Doubles run(const Launch& launch) {
    Doubles seen;
    while (status_.outcome == Outcome::running) {
      launch([&](auto& team, void* block) { train_chunk<model>(team, chunk_, 0, block); });
      write_down(seen);
    }
    seen.insert(seen.end(), parameters_.begin(), parameters_.end());
    return seen;
  }

 private:
  static constexpr std::uint32_t most = 16;

  static std::size_t count(const RacingProblem& problem) {
    return problem.first.size() + problem.second.size();
  }
  void write_down(Doubles& seen) const {
    for (const double x : {double(status_.step), double(status_.outcome), double(status_.flipped),
                           status_.blowup_reference})
      seen.push_back(x);
    for (std::uint32_t i = 0; i < status_.losses; ++i) {
      seen.push_back(static_cast<double>(losses_[i].step));
      seen.push_back(losses_[i].value);
    }
    for (std::uint32_t i = 0; i < status_.windows; ++i) {
      seen.push_back(windows_[i].least);
      seen.push_back(windows_[i].greatest);
      seen.push_back(static_cast<double>(windows_[i].last_step));
    }
    const std::size_t each = chunk_.memory.export_count;
    for (std::uint32_t i = 0; i < status_.exported; ++i) {
      seen.push_back(static_cast<double>(steps_[i]));
      for (std::size_t k = 0; k < each; ++k) seen.push_back(exported_[i * each + k]);
    }
  }

  Chunk<Numbers> chunk_{};
  RunStatus status_{};
  double step_size_;
  Doubles parameters_, exported_;
  double work_[4096];
  unsigned words_[lane_change_words] = {};
  RecordedLoss losses_[most];
  LossWindow windows_[most];
  std::int64_t steps_[most];
};

// The same bits, where they are of numbers.
inline bool same(const Doubles& a, const Doubles& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::isnan(x) ? std::isnan(y)
                         : std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

// The memory of a block, whatever it held before.
using RacingBlock = std::vector<LaneShared>;
inline RacingBlock racing_block() {
  return RacingBlock(1024, LaneShared{-1, {9, 9, 9}});
}

template <DeviceModel model>
Doubles chunks_by_one_lane(const RacingProblem& problem, double step_size) {
  RacingBlock memory = racing_block();
  HostTeam team;
  return RacingDevice<model>(problem, step_size, DeviceTeam::block).run([&](const auto& kernel) {
    kernel(team, memory.data());
  });
}
template <DeviceModel model, bool grid>
Doubles chunks_by_threads(const RacingProblem& problem, double step_size, std::uint32_t lanes) {
  constexpr std::uint32_t blocks = grid ? 2 : 1;
  std::vector<RacingBlock> memory(blocks, racing_block());
  return RacingDevice<model>(problem, step_size, grid ? DeviceTeam::grid : DeviceTeam::block)
      .run([&](const auto& kernel) {
        race<grid>(blocks, lanes,
                   [&](RacingTeam<grid>& team) { kernel(team, memory[team.block()].data()); });
      });
}

}  // namespace precipice::test
