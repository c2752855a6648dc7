// One kernel by itself, named by -DTEAM=train_by_... -DMODEL=... -DNUMBERS=...: what is compiled for
// one is the same in whatever unit it is.
#include "cuda/kernels.cuh"

namespace precipice {

Kernel the_kernel() { return kernel_of(&TEAM<DeviceModel::MODEL, NUMBERS>); }

}  // namespace precipice
