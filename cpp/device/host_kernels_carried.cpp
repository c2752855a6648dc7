#include "device/host_kernels.hpp"

namespace precipice {

HostKernel carried_host_kernel(DeviceModel model, DeviceNumbers numbers) {
  if (numbers == DeviceNumbers::carried32) return host_kernel_of<CarriedNumbers<float>>(model);
  if (numbers == DeviceNumbers::carried64) return host_kernel_of<CarriedNumbers<double>>(model);
  return nullptr;
}

}  // namespace precipice
