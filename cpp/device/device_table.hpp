// What the engine asks of a device, as a table of functions: the CUDA extension's, or that of the
// host device (host_device.hpp), which runs the kernels' text on this machine's memory. Plain C, so
// that the extension and the core share no C++ types.
#pragma once

#include <cstddef>
#include <cstdint>

namespace precipice {

struct DeviceFacts {
  char name[256];
  std::uint32_t multiprocessors, shared_bytes;  // of a block, at most
  std::uint32_t major, minor;                   // compute capability
  std::uint64_t bytes;                          // of memory
};

struct DeviceLaunch {
  std::uint32_t model, numbers, team;  // DeviceModel, DeviceNumbers, DeviceTeam
  std::uint32_t runs;
  std::uint32_t lanes;         // threads of a block; of a grid too
  std::uint32_t blocks;        // of a grid; else as the runs need
  std::uint32_t shared_bytes;  // of a block
  const void* chunk;           // Chunk<Numbers> of the numbers named, on the host
  std::size_t chunk_bytes;
};

// Functions return 0 or an error code, which `describe` puts into words.
struct DeviceTable {
  std::uint32_t version;  // device_table_version
  int (*facts)(DeviceFacts*);
  int (*allocate)(void**, std::size_t);  // zeros
  int (*release)(void*);
  int (*upload)(void* to, const void* from, std::size_t);
  int (*download)(void* to, const void* from, std::size_t);
  int (*most_blocks)(const DeviceLaunch*, std::uint32_t*);  // that fit at once
  int (*launch)(const DeviceLaunch*);
  int (*finished)(bool*);  // without waiting
  int (*wait)();
  const char* (*describe)(int);
};

inline constexpr std::uint32_t device_table_version = 1;
inline constexpr const char* device_capsule = "precipice.device";

}  // namespace precipice
