// A device that fails at its k-th call, for every k: the engine says so, and gives back all memory.
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

#include "check.hpp"
#include "device/host_device.hpp"
#include "engine/device_ensemble.hpp"
#include "engine/device_simulation.hpp"

namespace precipice {
namespace {

int calls_until_failure = 0, calls = 0;
std::set<void*> held;

constexpr int failure = 77;
bool fails() {
  return ++calls == calls_until_failure;
}

int facts(DeviceFacts* out) {
  return fails() ? failure : host_device().facts(out);
}
int allocate(void** out, std::size_t bytes) {
  if (fails()) return failure;
  const int error = host_device().allocate(out, bytes);
  held.insert(*out);
  return error;
}
int release(void* memory) {
  held.erase(memory);
  return host_device().release(memory);
}
int upload(void* to, const void* from, std::size_t bytes) {
  return fails() ? failure : host_device().upload(to, from, bytes);
}
int download(void* to, const void* from, std::size_t bytes) {
  return fails() ? failure : host_device().download(to, from, bytes);
}
int most_blocks(const DeviceLaunch* launch, std::uint32_t* out) {
  return fails() ? failure : host_device().most_blocks(launch, out);
}
int launch(const DeviceLaunch* launch) {
  return fails() ? failure : host_device().launch(launch);
}
int finished(bool* out) {
  return host_device().finished(out);
}
int wait() {
  return fails() ? failure : host_device().wait();
}
const char* describe(int error) {
  return error == failure ? "the cable is loose" : "another error";
}

constexpr DeviceTable failing{device_table_version, facts,  allocate, release, upload,  download,
                              most_blocks,          launch, finished, wait,    describe};

RunSpec run() {
  ProblemSpec problem{
      false,          2, 2, 2, std::vector<double>{1, 0.5, -0.5, 2}, std::vector<double>{1, -1},
      Loss::half_mean};
  MinimalistSpec model{2, std::vector<double>{0.5, 0.25}, std::vector<double>{0.5, -0.5}};
  OptimizerSpec optimizer;
  optimizer.momentum = std::vector<double>{0};
  optimizer.first_step = {0};
  optimizer.step_sizes = std::vector<double>{0.125};
  LoopSpec loop;
  loop.steps = 40;
  loop.blowup_factor = 1e6;
  loop.record.loss = loop.record.window = loop.record.parameters = 3;
  return {parse_format("float64"), problem, model, optimizer, loop, {}};
}

// All that a run asks of a device: made, trained, looked at, restored.
void go_through(const DeviceTuning& tuning) {
  const auto simulation = make_device_simulation(run(), failing, tuning);
  simulation->advance(1e6);
  simulation->parameters();
  simulation->restore(simulation->state());
  RunSpec spec = run();
  spec.loop.record.parameters = 0;
  const Member member{std::vector<double>{0.5, 0.25, 0.5, -0.5}, std::vector<double>{0.125}, 1, 2};
  make_device_ensemble({spec, {member, member}}, failing, tuning)->advance(1e6);
}

// Whether the k-th call was reached.
bool failed_at(int k, const DeviceTuning& tuning) {
  calls_until_failure = k;
  calls = 0;
  try {
    go_through(tuning);
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()) == "device: the cable is loose");
    CHECK(held.empty());
    return true;
  }
  CHECK(held.empty());
  return false;
}

void test_failures() {
  for (const auto team :
       {DeviceTuning::Team::thread, DeviceTuning::Team::block, DeviceTuning::Team::grid}) {
    DeviceTuning tuning;
    tuning.team = team;
    int k = 1;
    while (failed_at(k, tuning)) ++k;
    CHECK(k > 40);
  }
}

int facts_of_a_small_one(DeviceFacts* out) {
  const int error = host_device().facts(out);
  out->bytes = 100;
  return error;
}

void test_what_the_memory_does_not_hold_is_refused() {
  DeviceTable small = host_device();
  small.facts = facts_of_a_small_one;
  try {
    make_device_simulation(run(), small);
    CHECK(false);
  } catch (const std::invalid_argument& error) {
    CHECK(std::string(error.what()).find("must be at most the device's 1 GB") != std::string::npos,
          error.what());
  }
}

void test_another_version_is_refused() {
  DeviceTable other = failing;
  other.version = device_table_version + 1;
  try {
    make_device_simulation(run(), other);
    CHECK(false);
  } catch (const std::invalid_argument& error) {
    CHECK(std::string(error.what()).find("another version") != std::string::npos);
  }
}

}  // namespace
}  // namespace precipice

int main() {
  precipice::test_failures();
  precipice::test_what_the_memory_does_not_hold_is_refused();
  precipice::test_another_version_is_refused();
  return precipice::test::verdict("device_failures");
}
