#include "cuda/kernels.cuh"

namespace precipice {

Kernel minimalist_by_block_rounded(DeviceNumbers numbers) {
  constexpr DeviceModel model = DeviceModel::minimalist;
  switch (numbers) {
    case DeviceNumbers::carried32: return kernel_of(&train_by_block<model, CarriedNumbers<float>>);
    case DeviceNumbers::carried64: return kernel_of(&train_by_block<model, CarriedNumbers<double>>);
    case DeviceNumbers::soft: return kernel_of(&train_by_block<model, SoftNumbers>);
    default: return {};
  }
}

}  // namespace precipice
