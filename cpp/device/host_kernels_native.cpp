#include "device/host_kernels.hpp"

namespace precipice {

HostKernel native_host_kernel(DeviceModel model, DeviceNumbers numbers) {
  if (numbers == DeviceNumbers::float32) return host_kernel_of<NativeNumbers<float>>(model);
  if (numbers == DeviceNumbers::float64) return host_kernel_of<NativeNumbers<double>>(model);
  return nullptr;
}

}  // namespace precipice
