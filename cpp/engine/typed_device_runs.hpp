// Runs on a device in one kind of numbers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "device/lane_minimalist.hpp"
#include "device/lane_two_layer.hpp"
#include "engine/device_inputs.hpp"
#include "engine/device_layout.hpp"
#include "engine/device_memory.hpp"
#include "engine/device_runs.hpp"
#include "linalg/host_team.hpp"

namespace precipice {

template <class Numbers>
class TypedDeviceRuns final : public DeviceRuns {
 public:
  using T = typename Numbers::Number;

  TypedDeviceRuns(const EnsembleSpec& spec, const DeviceTable& table, const DeviceTuning& tuning,
                  DeviceNumbers kind, const Numbers& numbers)
      : table_(table),
        tuning_(tuning),
        kind_(kind),
        format_(spec.run.arithmetic[Stage::parameters]),
        inputs_(spec.run),
        steps_(tuning.steps > 0 ? tuning.steps : 16),
        chunk_{numbers,
               inputs_.problem,
               rules_of(spec.run),
               {},
               {},
               static_cast<std::uint32_t>(spec.members.size()),
               0} {
    chunk_.problem.X = X_.allocate(inputs_.X);
    chunk_.problem.X_columns = X_columns_.allocate(inputs_.X_columns);
    chunk_.problem.y = y_.allocate(inputs_.y);
    place();
    reserve_records();
    start(spec.members);
  }

  std::size_t size() const override { return chunk_.runs; }
  const RunStatus& status(std::size_t member) const override { return status_[member]; }
  double step_size(std::size_t member) const override {
    return static_cast<double>(step_sizes_[member]);
  }
  bool in_software() const override { return kind_ == DeviceNumbers::soft; }
  void end_in_time() override { chunk_.rules.out_of_time = true; }

  void run_chunk() override {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::vector<RunStatus> before = status_.here();
    chunk_.most_steps = steps_;
    check(table_, table_.launch(&launch_));
    check(table_, table_.wait());
    status_.download();
    download_records();
    std::int64_t taken = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      taken = std::max(taken, status_[i].step - before[i].step);
    choose_steps(taken, std::chrono::duration<double>(Clock::now() - start).count());
  }

  RecordedLoss loss(std::size_t member, std::size_t i) const override {
    return losses_[member * chunk_.memory.most_losses + i];
  }
  LossWindow window(std::size_t member, std::size_t i) const override {
    return windows_[member * chunk_.memory.most_windows + i];
  }
  ExportedNumbers exported(std::size_t member, std::size_t i) const override {
    const std::size_t at = member * chunk_.memory.most_exported + i;
    const T* const begin = exported_.here().data() + at * chunk_.memory.export_count;
    const T* const middle = begin + inputs_.parameters;
    return {
        exported_steps_[at], {begin, middle}, {middle, middle + inputs_.exported_preactivations}};
  }

  std::vector<double> parameters(std::size_t member, bool before) const override {
    std::vector<T> values(inputs_.parameters);
    const std::size_t side = status_[member].flipped != before ? 1 : 0;
    parameters_.download(values.data(), values.size(), (2 * member + side) * values.size());
    return {values.begin(), values.end()};
  }
  void restore(std::size_t member, const ExactVector& current, const ExactVector& before,
               const RunStatus& status) override {
    std::vector<T> values;
    append_rounded(values, current, format_);
    append_rounded(values, before, format_);
    if (values.size() != 2 * std::size_t(inputs_.parameters))
      throw std::invalid_argument("state = parameters: must be as many as the run has");
    parameters_.upload(values.data(), values.size(), member * values.size());
    RunStatus unflipped = status;
    unflipped.flipped = false;
    status_.set(member, unflipped);
  }

 private:
  template <class Model>
  LaneCounts count_of(const DevicePlacement& placement) const {
    LaneMemory<T> memory(placement, nullptr, nullptr, nullptr, inputs_.parameters, 1);
    const Model counted(chunk_.problem, memory, nullptr, false);
    return {memory.block_count(), memory.device_count()};
  }
  LaneCounts count(const DevicePlacement& placement) const {
    return inputs_.model == DeviceModel::minimalist
               ? count_of<LaneMinimalist<Numbers, HostTeam>>(placement)
               : count_of<LaneTwoLayer<Numbers, HostTeam>>(placement);
  }

  // Team, lanes, and where the arrays of a run lie.
  void place() {
    DeviceFacts facts{};
    check(table_, table_.facts(&facts));
    if (tuning_.shared_bytes >= 0)
      facts.shared_bytes = static_cast<std::uint32_t>(tuning_.shared_bytes);
    device_bytes_ = facts.bytes;
    const DeviceProblem<T>& problem = chunk_.problem;
    const RunSize size{inputs_.model,   problem.rows, problem.features,
                       problem.factors, chunk_.runs,  kind_};
    DeviceTeam team = team_for(size, facts, tuning_);
    place_on(team, size, facts);
    if (team == DeviceTeam::grid && chunk_.placement.block_bytes > facts.shared_bytes)
      place_on(team = DeviceTeam::block, size, facts);  // no room for each block's copies
    launch_.model = static_cast<std::uint32_t>(inputs_.model);
    launch_.numbers = static_cast<std::uint32_t>(kind_);
    launch_.team = static_cast<std::uint32_t>(team);
    launch_.runs = chunk_.runs;
    launch_.shared_bytes = chunk_.placement.block_bytes;
    launch_.chunk = &chunk_;
    launch_.chunk_bytes = sizeof(chunk_);
    launch_.blocks = 1;
    if (team != DeviceTeam::grid) return;
    std::uint32_t most = 1;
    check(table_, table_.most_blocks(&launch_, &most));
    launch_.blocks = blocks_for(size, launch_.lanes, most);
  }
  void place_on(DeviceTeam team, const RunSize& size, const DeviceFacts& facts) {
    launch_.lanes = lanes_for(team, size, facts, tuning_);
    chunk_.placement =
        placement_for(team, launch_.lanes, sizeof(T), sizeof(LaneShared), facts.shared_bytes,
                      [&](const DevicePlacement& p) { return count(p); });
    DeviceMemory<T>& memory = chunk_.memory;
    memory.work_count = count(chunk_.placement).device;
  }

  void reserve_records() {
    DeviceMemory<T>& memory = chunk_.memory;
    const DeviceRules& rules = chunk_.rules;
    memory.export_count = inputs_.parameters + inputs_.exported_preactivations;
    memory.most_losses = rules.loss > 0 ? room_for(sizeof(RecordedLoss)) : 0;
    memory.most_windows = rules.window > 0 ? room_for(sizeof(LossWindow)) : 0;
    if (rules.exports())
      memory.most_exported =
          std::min(room_for(memory.export_count * sizeof(T)), room_for(bytes_of_a_measurement));
    check_memory();
    const std::size_t runs = size(), exported = runs * memory.most_exported;
    memory.losses = losses_.allocate(runs * memory.most_losses);
    memory.windows = windows_.allocate(runs * memory.most_windows);
    memory.exported_steps = exported_steps_.allocate(exported);
    memory.exported = exported_.allocate(exported * memory.export_count);
  }
  // Before any of it is asked for.
  void check_memory() const {
    const DeviceMemory<T>& memory = chunk_.memory;
    const double numbers = 2.0 * inputs_.parameters + memory.work_count +
                           double(memory.most_exported) * memory.export_count;
    const double a_run = numbers * sizeof(T) + memory.most_losses * sizeof(RecordedLoss) +
                         memory.most_windows * sizeof(LossWindow) + sizeof(RunStatus);
    const double bytes = a_run * static_cast<double>(size()) +
                         2.0 * sizeof(T) * static_cast<double>(inputs_.X.size());
    if (device_bytes_ > 0 && bytes > static_cast<double>(device_bytes_))
      throw std::invalid_argument("memory = " + gigabytes(bytes) +
                                  ": must be at most the device's " +
                                  gigabytes(static_cast<double>(device_bytes_)));
  }
  static std::string gigabytes(double bytes) {
    return std::to_string(static_cast<long long>(bytes / 1e9) + 1) + " GB";
  }
  static constexpr std::size_t budget = std::size_t(64) << 20;
  // As if a state took so many: the host measures each, and is to look up now and then.
  static constexpr std::size_t bytes_of_a_measurement = budget >> 14;
  // For so many records of each run, some tens of megabytes in all, but at least for two steps.
  std::uint32_t room_for(std::size_t bytes) const {
    constexpr std::size_t least = 4, most = 1 << 16;
    return static_cast<std::uint32_t>(std::clamp(budget / (bytes * size()), least, most));
  }

  void start(const std::vector<Member>& members) {
    DeviceMemory<T>& memory = chunk_.memory;
    const std::size_t runs = size();
    std::vector<T> parameters, step_sizes;
    std::vector<RunStatus> status(runs, RunStatus{});
    for (std::size_t i = 0; i < runs; ++i) {
      append_rounded(parameters, members[i].parameters, format_);
      append_rounded(step_sizes, members[i].step_size, format_);
      parameters.resize(2 * (i + 1) * inputs_.parameters, T(0));  // there is no theta_{-1}
      status[i].recorded = -1;
      status[i].blowup_reference = inputs_.loss_of_labels;
      status[i].seed = members[i].seed;
      status[i].run = members[i].run;
    }
    // Threads of a block share its memory, whether or not each has a run.
    const std::size_t together =
        launch_.team == static_cast<std::uint32_t>(DeviceTeam::thread) ? launch_.lanes : 1;
    memory.parameter_count = inputs_.parameters;
    memory.parameters = parameters_.allocate(parameters);
    memory.step_size = step_sizes_.allocate(std::move(step_sizes));
    memory.status = status_.allocate(std::move(status));
    memory.work = work_.allocate((runs + together - 1) / together * together * memory.work_count);
    memory.change = change_.allocate(runs * lane_change_words);
  }

  void download_records() {
    std::uint32_t losses = 0, windows = 0, exported = 0;
    for (const RunStatus& status : status_.here()) {
      losses = std::max(losses, status.losses);
      windows = std::max(windows, status.windows);
      exported = std::max(exported, status.exported);
    }
    if (losses > 0) losses_.download();
    if (windows > 0) windows_.download();
    if (exported == 0) return;
    exported_steps_.download();
    exported_.download();
  }

  // So that the next chunk takes 0.05 to 0.1 s, if records do not end it before.
  void choose_steps(std::int64_t taken, double seconds) {
    if (tuning_.steps > 0) return;
    if (seconds > 0.1)
      steps_ = std::max<std::int64_t>(1, taken / 2);
    else if (seconds < 0.05 && taken == steps_)
      steps_ *= 2;
  }

  const DeviceTable& table_;
  DeviceTuning tuning_;
  DeviceNumbers kind_;
  Format format_;
  DeviceInputs<T> inputs_;
  std::int64_t steps_;              // of the next chunk
  std::uint64_t device_bytes_ = 0;  // 0: unknown
  Chunk<Numbers> chunk_;
  DeviceLaunch launch_{};
  DeviceArray<T> X_{table_}, X_columns_{table_}, y_{table_}, parameters_{table_}, work_{table_};
  DeviceArray<unsigned> change_{table_};
  MirroredArray<RunStatus> status_{table_};
  MirroredArray<T> step_sizes_{table_}, exported_{table_};
  MirroredArray<RecordedLoss> losses_{table_};
  MirroredArray<LossWindow> windows_{table_};
  MirroredArray<std::int64_t> exported_steps_{table_};
};

}  // namespace precipice
