#include "device/host_kernels.hpp"

namespace precipice {

HostKernel soft_host_kernel(DeviceModel model, DeviceNumbers numbers) {
  return numbers == DeviceNumbers::soft ? host_kernel_of<SoftNumbers>(model) : nullptr;
}

}  // namespace precipice
