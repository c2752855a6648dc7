#include "cuda/kernels.cuh"

namespace precipice {

Kernel two_layer_by_block(DeviceNumbers numbers) {
  constexpr DeviceModel model = DeviceModel::two_layer;
  switch (numbers) {
    case DeviceNumbers::float32: return kernel_of(&train_by_block<model, NativeNumbers<float>>);
    case DeviceNumbers::float64: return kernel_of(&train_by_block<model, NativeNumbers<double>>);
    default: return {};
  }
}

}  // namespace precipice
