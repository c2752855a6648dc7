#include <gmp.h>
#include <mpfr.h>
#include <pybind11/stl.h>

#include <exception>
#include <map>
#include <stdexcept>
#include <string>

#include "bindings/bind.hpp"
#include "linalg/native_kernels.hpp"
#include "machine/cpu_path.hpp"

namespace precipice {
namespace {

std::map<std::string, std::string> build_info() {
  const CpuPath path = cpu_path();
  const auto* const native = native_kernels<double>(path);
  return {
      {"mpfr", mpfr_get_version()},
      {"mpfr_headers", MPFR_VERSION_STRING},
      {"gmp", gmp_version},
      {"mpfr_source", PRECIPICE_MPFR_SOURCE},
      {"compiler", PRECIPICE_COMPILER},
      {"cpu_features", cpu_features()},
      {"cpu_path", name(path)},
      {"native_kernels", native ? native->name : "baseline"},
  };
}

// Threads share a process: an MPFR without thread-local state would mix their exponent ranges.
void check_mpfr() {
  if (mpfr_buildopt_tls_p() == 0)
    throw std::runtime_error("this MPFR was built without thread-local storage");
  if (MPFR_VERSION_NUM(4, 1, 0) > MPFR_VERSION)
    throw std::runtime_error("this MPFR is older than 4.1");
}

// As the package's own exception for broken arguments.
void translate_wrong_cpu_path(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const WrongCpuPath& error) {
    const auto type = pybind11::module_::import("precipice.errors").attr("InvalidArgument");
    const auto raised = type("PRECIPICE_CPU", error.value, error.rule);
    PyErr_SetObject(type.ptr(), raised.ptr());
  }
}

}  // namespace

void bind_build_info(pybind11::module_& m) {
  check_mpfr();
  pybind11::register_local_exception_translator(translate_wrong_cpu_path);
  m.def("build_info", &build_info, "Versions and CPU path of the compiled core, by name.");
  m.def(
      "free_thread_caches", [] { mpfr_free_cache(); },
      "Frees MPFR's constants of the calling thread; to be called before a worker thread ends.");
}

}  // namespace precipice
