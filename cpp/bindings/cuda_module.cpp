#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>

#include "cuda/cuda_device.hpp"

namespace py = pybind11;

namespace {

using namespace precipice;

py::tuple probe() {
  const CudaProbe found = [] {
    const py::gil_scoped_release released;  // a context takes a second to make
    return probe_cuda();
  }();
  return py::make_tuple(found.error, found.driver_version, found.runtime_version, found.devices);
}

py::dict facts() {
  DeviceFacts found;
  const int error = cuda_device().facts(&found);
  if (error != 0) throw std::runtime_error(cuda_device().describe(error));
  py::dict named;
  named["name"] = found.name;
  named["compute_capability"] = std::to_string(found.major) + "." + std::to_string(found.minor);
  named["multiprocessors"] = found.multiprocessors;
  named["shared_bytes"] = found.shared_bytes;
  named["bytes"] = found.bytes;
  return named;
}

py::capsule device() {
  return py::capsule(const_cast<DeviceTable*>(&cuda_device()), device_capsule);
}

}  // namespace

PYBIND11_MODULE(_cuda, m, py::mod_gil_not_used()) {
  m.doc() = "precipice on an NVIDIA GPU: kernels, and the table of functions that starts them.";
  m.def("device", &device, "The GPU as _core takes it.");
  m.def("probe", &probe,
        "(error, driver version, runtime version, number of devices); versions are "
        "1000 major + 10 minor, and 0 where there is none.");
  m.def("facts", &facts, "What the GPU is; RuntimeError where there is none.");
  m.def(
      "describe", [](int code) { return std::string(cuda_device().describe(code)); },
      py::arg("code"), "The CUDA runtime's name of an error and what it says.");
  m.attr("architectures") = PRECIPICE_CUDA_ARCHITECTURES;
}
