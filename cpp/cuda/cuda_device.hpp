// A GPU by way of the CUDA runtime, as a table of functions, and what there is to say where there
// is none.
#pragma once

#include "device/device_table.hpp"

namespace precipice {

// The first GPU that the process may see. Every host thread has a stream of its own: what a thread
// launches, it also waits for.
const DeviceTable& cuda_device();

struct CudaProbe {
  int error;                            // of the CUDA runtime; 0 if kernels can run
  int driver_version, runtime_version;  // 1000 major + 10 minor; 0 if there is none
  int devices;
};
CudaProbe probe_cuda();

}  // namespace precipice
