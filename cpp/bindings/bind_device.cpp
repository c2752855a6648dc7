#include "device/host_device.hpp"

#include "bindings/bind.hpp"

namespace precipice {

namespace py = pybind11;

void bind_device(py::module_& m) {
  m.def(
      "host_device",
      [] { return py::capsule(static_cast<const void*>(&host_device()), device_capsule); },
      "The device that is this machine: the kernels' text, run by loops on its memory.");
}

}  // namespace precipice
