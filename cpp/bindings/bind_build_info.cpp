#include <gmp.h>
#include <mpfr.h>
#include <pybind11/stl.h>

#include <map>
#include <stdexcept>
#include <string>

#include "bindings/bind.hpp"

namespace precipice {
namespace {

std::string cpu_features() {
  std::string features;
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse2")) features += "sse2 ";
  if (__builtin_cpu_supports("avx2")) features += "avx2 ";
  if (__builtin_cpu_supports("fma")) features += "fma ";
  if (__builtin_cpu_supports("avx512f")) features += "avx512f ";
  if (__builtin_cpu_supports("avx512ifma")) features += "avx512ifma ";
#elif defined(__aarch64__)
  features = "neon ";
#endif
  if (!features.empty()) features.pop_back();
  return features;
}

std::map<std::string, std::string> build_info() {
  return {
      {"mpfr", mpfr_get_version()},
      {"mpfr_headers", MPFR_VERSION_STRING},
      {"gmp", gmp_version},
      {"mpfr_source", PRECIPICE_MPFR_SOURCE},
      {"compiler", PRECIPICE_COMPILER},
      {"cpu_features", cpu_features()},
      {"cpu_path", "baseline"},
  };
}

// Threads share a process: an MPFR without thread-local state would mix their exponent ranges.
void check_mpfr() {
  if (mpfr_buildopt_tls_p() == 0)
    throw std::runtime_error("this MPFR was built without thread-local storage");
  if (MPFR_VERSION_NUM(4, 1, 0) > MPFR_VERSION)
    throw std::runtime_error("this MPFR is older than 4.1");
}

}  // namespace

void bind_build_info(pybind11::module_& m) {
  check_mpfr();
  m.def("build_info", &build_info, "Versions and CPU path of the compiled core, by name.");
  m.def(
      "free_thread_caches", [] { mpfr_free_cache(); },
      "Frees MPFR's constants of the calling thread; to be called before a worker thread ends.");
}

}  // namespace precipice
