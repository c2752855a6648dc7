#include "cuda/kernels.cuh"

namespace precipice {

Kernel two_layer_by_grid(DeviceNumbers numbers) {
  constexpr DeviceModel model = DeviceModel::two_layer;
  switch (numbers) {
    case DeviceNumbers::float32: return kernel_of(&train_by_grid<model, NativeNumbers<float>>);
    case DeviceNumbers::float64: return kernel_of(&train_by_grid<model, NativeNumbers<double>>);
    default: return {};
  }
}

}  // namespace precipice
