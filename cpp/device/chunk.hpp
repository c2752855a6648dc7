// What one launch of the training kernel is given: some steps of every run of an ensemble. Plain
// data, the same on the host and on the device; pointers are the device's.
#pragma once

#include <cstdint>

#include "models/loss.hpp"
#include "numbers/lane_numbers.hpp"
#include "numbers/order.hpp"
#include "training/loss_window.hpp"
#include "training/outcome.hpp"

namespace precipice {

// Which kernel, beside DeviceNumbers. A team is the lanes that carry out one run (linalg/team.hpp).
enum class DeviceModel : std::uint32_t { minimalist, two_layer };
enum class DeviceTeam : std::uint32_t { thread, block, grid };
// Threads of a block, at most: then each has the registers it needs.
inline constexpr std::uint32_t most_lanes = 256;

// An integer of the normalisations, rounded to the format; the reciprocal is exact if the integer
// is a power of two, else 0.
template <class T>
struct DeviceInteger {
  T value, reciprocal;
};

// The problem all runs share.
template <class T>
struct DeviceProblem {
  const T* X;          // row-major; the diagonal in spectral coordinates
  const T* X_columns;  // column-major; null where the diagonal is all there is
  const T* y;
  std::uint32_t rows, features, factors;  // N, d; D-1 or the width m
  bool diagonal;
  Loss loss;
  DeviceInteger<T> two, n, two_n;
  T c, kappa;          // of the two-layer network
  double loss_factor;  // the loss is loss_factor ||z||^2
};

// When a run ends and what it records; cadences in steps, 0 records nothing.
struct DeviceRules {
  Order order;
  bool stochastic;   // never stalls, never locks
  bool out_of_time;  // runs end where they are
  std::int64_t steps;
  bool tests_blowup, tests_convergence;
  double blowup_factor, tolerance, loss_floor;
  std::int64_t loss, window;
  std::int64_t sharpness, states;  // the state is exported for either: in pairs, at multiples
  PRECIPICE_HOST_DEVICE bool exports() const { return sharpness > 0 || states > 0; }
};

// Where a run stands. Between two chunks all of it is in device memory.
struct RunStatus {
  std::int64_t step;
  std::int64_t begun;  // the first step whose update is of this arithmetic
  std::int64_t recorded;
  Outcome outcome;
  bool returned;  // theta_t = theta_{t-2}
  bool flipped;   // which of the two copies of the parameters is theta_t's
  bool window_open;
  double blowup_reference;
  LossWindow window;
  std::uint64_t seed, run;                  // the key of its draws
  std::uint32_t losses, windows, exported;  // recorded in this chunk
};

struct RecordedLoss {
  std::int64_t step;
  double value;
};

// What runs write to, one after the other: run r's part begins at r times its length.
template <class T>
struct DeviceMemory {
  RunStatus* status;
  const T* step_size;
  T* parameters;     // theta_t and theta_{t-1}, or the other way round (flipped)
  T* work;           // what has no room in the memory of a block; of a block of threads interleaved
  unsigned* change;  // of a grid; else they are the block's
  RecordedLoss* losses;
  LossWindow* windows;
  std::int64_t* exported_steps;
  T* exported;  // parameters, then pre-activations (minimalist model)
  std::uint32_t parameter_count, work_count, export_count;
  std::uint32_t most_losses, most_windows, most_exported;  // room for so many a run
};

// What lies in the memory of a block (lane_memory.hpp); the rest in that of the device.
struct DevicePlacement {
  DeviceTeam team;
  bool work, parameters;
  std::uint32_t block_bytes;
};

// Words that say what an update did (linalg/lane_space.hpp).
inline constexpr std::uint32_t lane_change_words = 3;

// At the beginning of a block's memory: the squares of the residuals, summed.
struct alignas(16) LaneShared {
  double squares;
  unsigned change[lane_change_words];
};

// Numbers: numbers/lane_numbers.hpp.
template <class Numbers>
struct Chunk {
  using T = typename Numbers::Number;
  Numbers numbers;
  DeviceProblem<T> problem;
  DeviceRules rules;
  DeviceMemory<T> memory;
  DevicePlacement placement;
  std::uint32_t runs;
  std::int64_t most_steps;  // of this chunk
};

}  // namespace precipice
