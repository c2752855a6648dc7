#include "cuda/kernels.cuh"

namespace precipice {

Kernel minimalist_by_thread_rounded(DeviceNumbers numbers) {
  constexpr DeviceModel model = DeviceModel::minimalist;
  switch (numbers) {
    case DeviceNumbers::carried32: return kernel_of(&train_by_thread<model, CarriedNumbers<float>>);
    case DeviceNumbers::carried64:
      return kernel_of(&train_by_thread<model, CarriedNumbers<double>>);
    case DeviceNumbers::soft: return kernel_of(&train_by_thread<model, SoftNumbers>);
    default: return {};
  }
}

}  // namespace precipice
