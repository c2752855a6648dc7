#include "cuda/cuda_device.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "cuda/kernels.hpp"

namespace precipice {
namespace {

constexpr cudaError_t no_such_kernel = cudaErrorInvalidDeviceFunction;
constexpr unsigned lanes_of_warp = 32;

// An error that does not end the process's use of the device must not be met by the next call.
int checked(cudaError_t error) {
  if (error != cudaSuccess) cudaGetLastError();
  return error;
}

cudaStream_t stream() {
  return cudaStreamPerThread;
}

int finish(cudaError_t error) {
  return checked(error != cudaSuccess ? error : cudaStreamSynchronize(stream()));
}

cudaError_t attribute(int& value, cudaDeviceAttr name) {
  int device = 0;
  const cudaError_t error = cudaGetDevice(&device);
  return error != cudaSuccess ? error : cudaDeviceGetAttribute(&value, name, device);
}

int facts(DeviceFacts* out) {
  int device = 0;
  cudaDeviceProp properties;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, device);
  if (error != cudaSuccess) return checked(error);
  *out = {};
  std::strncpy(out->name, properties.name, sizeof out->name - 1);
  out->multiprocessors = static_cast<std::uint32_t>(properties.multiProcessorCount);
  out->shared_bytes = static_cast<std::uint32_t>(properties.sharedMemPerBlockOptin);
  out->major = static_cast<std::uint32_t>(properties.major);
  out->minor = static_cast<std::uint32_t>(properties.minor);
  out->bytes = properties.totalGlobalMem;
  return 0;
}

int allocate(void** out, std::size_t bytes) {
  *out = nullptr;
  const cudaError_t error = cudaMalloc(out, std::max<std::size_t>(bytes, 1));
  if (error != cudaSuccess) return checked(error);
  const int failed = finish(cudaMemsetAsync(*out, 0, bytes, stream()));
  if (failed == 0) return 0;
  cudaFree(*out);
  *out = nullptr;
  return failed;
}

int release(void* memory) {
  return checked(cudaFree(memory));
}

int upload(void* to, const void* from, std::size_t bytes) {
  return finish(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()));
}

int download(void* to, const void* from, std::size_t bytes) {
  return finish(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()));
}

// The kernel that a launch names, allowed as much of a block's memory as there is: the same for
// every launch, since threads share what is set here.
cudaError_t prepare(const DeviceLaunch& launch, Kernel& kernel) {
  const auto team = static_cast<DeviceTeam>(launch.team);
  kernel = find_kernel(static_cast<DeviceModel>(launch.model),
                       static_cast<DeviceNumbers>(launch.numbers), team);
  if (kernel.function == nullptr) return no_such_kernel;
  int most = 0;
  cudaFuncAttributes of_kernel;
  cudaError_t error = attribute(most, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  if (error == cudaSuccess) error = cudaFuncGetAttributes(&of_kernel, kernel.function);
  if (error != cudaSuccess) return error;
  const bool whole_warps = team == DeviceTeam::thread || launch.lanes % lanes_of_warp == 0;
  const auto lanes_of_kernel = static_cast<std::uint32_t>(of_kernel.maxThreadsPerBlock);
  if (launch.lanes == 0 || launch.lanes > lanes_of_kernel || !whole_warps)
    return cudaErrorInvalidConfiguration;
  most -= static_cast<int>(of_kernel.sharedSizeBytes);
  return cudaFuncSetAttribute(kernel.function, cudaFuncAttributeMaxDynamicSharedMemorySize, most);
}

int most_blocks(const DeviceLaunch* launch, std::uint32_t* out) {
  *out = 0;
  Kernel kernel;
  int processors = 0, blocks = 0;
  cudaError_t error = prepare(*launch, kernel);
  if (error == cudaSuccess) error = attribute(processors, cudaDevAttrMultiProcessorCount);
  if (error == cudaSuccess)
    error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(
        &blocks, kernel.function, static_cast<int>(launch->lanes), launch->shared_bytes);
  if (error != cudaSuccess) return checked(error);
  *out = static_cast<std::uint32_t>(processors) * static_cast<std::uint32_t>(blocks);
  return 0;
}

int launch(const DeviceLaunch* asked) {
  Kernel kernel;
  const cudaError_t error = prepare(*asked, kernel);
  if (error != cudaSuccess) return checked(error);
  if (asked->chunk_bytes != kernel.chunk_bytes) return cudaErrorInvalidValue;
  if (asked->runs == 0) return 0;
  void* arguments[] = {const_cast<void*>(asked->chunk)};
  const dim3 lanes(asked->lanes);
  switch (static_cast<DeviceTeam>(asked->team)) {
    case DeviceTeam::thread: {
      const dim3 blocks((asked->runs - 1) / asked->lanes + 1);
      return checked(cudaLaunchKernel(kernel.function, blocks, lanes, arguments,
                                      asked->shared_bytes, stream()));
    }
    case DeviceTeam::block:
      return checked(cudaLaunchKernel(kernel.function, dim3(asked->runs), lanes, arguments,
                                      asked->shared_bytes, stream()));
    case DeviceTeam::grid:
      return checked(cudaLaunchCooperativeKernel(kernel.function, dim3(asked->blocks), lanes,
                                                 arguments, asked->shared_bytes, stream()));
  }
  return no_such_kernel;
}

int finished(bool* out) {
  const cudaError_t error = cudaStreamQuery(stream());
  *out = error == cudaSuccess;
  return error == cudaErrorNotReady ? 0 : checked(error);
}

int wait() {
  return checked(cudaStreamSynchronize(stream()));
}

const char* describe(int code) {
  thread_local std::string text;
  const auto error = static_cast<cudaError_t>(code);
  text = std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")";
  return text.c_str();
}

constexpr DeviceTable table{device_table_version, facts,  allocate, release, upload,  download,
                            most_blocks,          launch, finished, wait,    describe};

}  // namespace

const DeviceTable& cuda_device() {
  return table;
}

CudaProbe probe_cuda() {
  CudaProbe found{};
  // Without a driver the runtime leaves the count as it was.
  cudaError_t error = cudaGetDeviceCount(&found.devices);
  if (cudaDriverGetVersion(&found.driver_version) != cudaSuccess) found.driver_version = 0;
  if (cudaRuntimeGetVersion(&found.runtime_version) != cudaSuccess) found.runtime_version = 0;
  if (error == cudaSuccess && found.devices == 0) error = cudaErrorNoDevice;
  if (error != cudaSuccess) {
    found.devices = 0;
  } else {
    // Makes the context and loads a kernel: fails if there is no code for this device.
    cudaFuncAttributes attributes;
    const Kernel kernel =
        find_kernel(DeviceModel::minimalist, DeviceNumbers::float64, DeviceTeam::block);
    error = cudaFuncGetAttributes(&attributes, kernel.function);
  }
  found.error = checked(error);
  return found;
}

}  // namespace precipice
