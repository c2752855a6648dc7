#include "device/host_device.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include "device/host_kernels.hpp"

namespace precipice {
namespace {

enum Error { none, no_memory, no_kernel };

int facts(DeviceFacts* out) {
  *out = DeviceFacts{};
  std::strncpy(out->name, "host lanes", sizeof(out->name) - 1);
  out->multiprocessors = 1;
  out->shared_bytes = 48 << 10;  // what every GPU has
  return none;
}

int allocate(void** out, std::size_t bytes) {
  *out = std::calloc(1, bytes);
  return *out ? none : no_memory;
}
int release(void* memory) {
  std::free(memory);
  return none;
}
int copy(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
  return none;
}

int most_blocks(const DeviceLaunch*, std::uint32_t* out) {
  *out = 1;
  return none;
}

int launch(const DeviceLaunch* launch) {
  const auto model = static_cast<DeviceModel>(launch->model);
  const auto numbers = static_cast<DeviceNumbers>(launch->numbers);
  for (const auto kernel_of : {native_host_kernel, carried_host_kernel, soft_host_kernel}) {
    const HostKernel kernel = kernel_of(model, numbers);
    if (!kernel) continue;
    try {
      kernel(*launch);
    } catch (const std::bad_alloc&) {
      return no_memory;
    }
    return none;
  }
  return no_kernel;
}
int finished(bool* out) {
  *out = true;
  return none;
}
int wait() {
  return none;
}

const char* describe(int error) {
  switch (error) {
    case none: return "no error";
    case no_memory: return "out of memory";
    default: return "no kernel for these numbers";
  }
}

}  // namespace

const DeviceTable& host_device() {
  static const DeviceTable table{device_table_version, facts,  allocate, release, copy,    copy,
                                 most_blocks,          launch, finished, wait,    describe};
  return table;
}

}  // namespace precipice
