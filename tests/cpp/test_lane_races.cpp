// Runs by threads, one a lane: the bits of one lane, and under ThreadSanitizer no race, but one
// wherever a barrier is left out: none is missing, and none is idle.
//
//   test_lane_races            the bits, and that no race is found
//   test_lane_races planted    that a race is found without any one of the barriers
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "check.hpp"
#include "linalg/host_team.hpp"
#include "racing_chunks.hpp"
#include "racing_runs.hpp"
#include "racing_team.hpp"

#ifdef __SANITIZE_THREAD__
// The sanitizer asks for these: every race is reported, and what is to be made of it is ours.
namespace {
std::atomic<int> races = 0;
}
#define SEEN extern "C" __attribute__((visibility("default")))
SEEN const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:suppress_equal_addresses=0:exitcode=0:report_thread_leaks=0";
}
SEEN void __tsan_on_report(void*) {
  ++races;
}
#endif

namespace precipice::test {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr bool sanitized = true;
int races_so_far() {
  return races;
}
#else
constexpr bool sanitized = false;
int races_so_far() {
  return 0;
}
#endif

constexpr int steps = 2;

struct Raced {
  Doubles numbers;
  BarrierCount count;  // of all steps
  int races;
};

template <template <class> class Model>
Doubles by_one_lane(const RacingProblem& problem) {
  RacingMemory memory(1);
  HostTeam team;
  Doubles result;
  train<Model>(team, problem, memory, 0, steps, result, [](bool) {});
  return result;
}

template <template <class> class Model, bool grid>
Raced by_threads(const RacingProblem& problem, int left_out, std::uint32_t lanes = 64) {
  constexpr std::uint32_t blocks = grid ? 2 : 1;
  RacingMemory memory(blocks);
  Raced raced{};
  const int before = races_so_far();
  race<grid>(blocks, lanes, [&](RacingTeam<grid>& team) {
    train<Model>(team, problem, memory, team.block(), steps, raced.numbers, [&](bool begins) {
      if (!begins && team.leader()) raced.count = team.counted();
      team.count(begins ? left_out : -1);
    });
  });
  raced.races = races_so_far() - before;
  return raced;
}

struct Case {
  std::string name;
  RacingProblem problem;
  int of_block;          // barriers of a step of one block
  BarrierCount of_grid;  // and of a step of a grid
};

template <template <class> class Model, bool grid>
void law_of_bits(const Case& of) {
  const Raced raced = by_threads<Model, grid>(of.problem, -1);
  CHECK(raced.numbers == by_one_lane<Model>(of.problem), of.name, grid);
  CHECK(raced.races == 0, of.name, grid, raced.races);
  const int block = raced.count.block / steps, all = raced.count.grid / steps;
  CHECK(block == (grid ? of.of_grid.block : of.of_block), of.name, grid, block);
  CHECK(all == (grid ? of.of_grid.grid : 0), of.name, grid, all);
  const Raced by_a_warp = by_threads<Model, false>(of.problem, -1, 32);
  CHECK(by_a_warp.numbers == raced.numbers && by_a_warp.races == 0, of.name);
}

// A race may escape the sanitizer, which remembers a few accesses of an address.
template <template <class> class Model, bool grid>
void law_of_barriers(const Case& of) {
  const int all = by_threads<Model, grid>(of.problem, -1).count.all();
  for (int left_out = 0; left_out < all / steps; ++left_out) {
    int found = 0;
    for (int attempt = 0; attempt < 3 && found == 0; ++attempt)
      found = by_threads<Model, grid>(of.problem, left_out).races;
    CHECK(found > 0, of.name, grid, left_out);
  }
}

// Runs to their last step, that blow up, and that stay where they are.
template <DeviceModel model>
void laws_of_chunks(const Case& of) {
  for (const double step_size : {0.0625, 1e9, 0.0}) {
    const Doubles expected = chunks_by_one_lane<model>(of.problem, step_size);
    const int before = races_so_far();
    const auto agrees = [&]<bool grid>(std::uint32_t lanes) {
      return same(chunks_by_threads<model, grid>(of.problem, step_size, lanes), expected);
    };
    CHECK(agrees.template operator()<false>(64), of.name, step_size);
    CHECK(agrees.template operator()<false>(32), of.name, step_size);
    CHECK(agrees.template operator()<true>(64), of.name, step_size);
    CHECK(races_so_far() == before, of.name, step_size, races_so_far() - before);
  }
}

template <template <class> class Model>
void laws(const Case& of, bool planted) {
  if (planted) {
    law_of_barriers<Model, false>(of);
    law_of_barriers<Model, true>(of);
  } else {
    law_of_bits<Model, false>(of);
    law_of_bits<Model, true>(of);
  }
}

void all_laws(bool planted) {
  constexpr Order sequential = Order::sequential, blocked = Order::blocked;
  for (const Case& of : {
           Case{"D = 2, sequential", {37, 70, 1, sequential, false}, 3, {2, 2}},
           Case{"D = 3, sequential", {37, 70, 2, sequential, false}, 5, {4, 2}},
           Case{"spectral, sequential", {150, 150, 1, sequential, false, true}, 3, {2, 2}},
           Case{"D = 2, blocked", {37, 70, 1, blocked, false}, 4, {2, 2}},
           Case{"D = 3, blocked", {37, 70, 2, blocked, false}, 5, {4, 2}},
           Case{"spectral, blocked", {150, 150, 1, blocked, false, true}, 3, {2, 2}},
       })
    if (laws<RacingMinimalist>(of, planted); !planted) laws_of_chunks<DeviceModel::minimalist>(of);
  for (const Case& of : {
           Case{"two-layer, sequential", {37, 70, 9, sequential, true}, 5, {3, 4}},
           Case{"two-layer, blocked", {37, 70, 9, blocked, true}, 7, {3, 5}},
       })
    if (laws<RacingTwoLayer>(of, planted); !planted) laws_of_chunks<DeviceModel::two_layer>(of);
}

}  // namespace
}  // namespace precipice::test

int main(int count, char** arguments) {
  using namespace precipice::test;
  const bool planted = count > 1 && arguments[1] == std::string("planted");
  if (planted && !sanitized) return 77;
  all_laws(planted);
  return verdict(planted ? "barriers left out" : "lane races");
}
