#include "machine/cpu_path.hpp"

#include <cstdlib>

namespace precipice {
namespace {

// __builtin_cpu_supports also asks whether the operating system saves the wide registers.
#if defined(__x86_64__) && defined(__GNUC__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
}
bool has_avx512ifma() {
  return has_avx512() && __builtin_cpu_supports("avx512ifma");
}
#else
bool has_avx2() {
  return false;
}
bool has_avx512() {
  return false;
}
bool has_avx512ifma() {
  return false;
}
#endif

std::string one_of(const std::vector<CpuPath>& available) {
  std::string list;
  for (const CpuPath path : available) {
    if (!list.empty()) list += path == available.back() ? " or " : ", ";
    list += name(path);
  }
  return list;
}

}  // namespace

std::vector<CpuPath> available_cpu_paths() {
  std::vector<CpuPath> paths{CpuPath::mpfr, CpuPath::generic};
  if (has_avx2()) paths.push_back(CpuPath::avx2);
  if (has_avx512()) paths.push_back(CpuPath::avx512);
  if (has_avx512ifma()) paths.push_back(CpuPath::avx512ifma);
  return paths;
}

CpuPath cpu_path() {
  const std::vector<CpuPath> available = available_cpu_paths();
  const char* const forced = std::getenv("PRECIPICE_CPU");
  if (forced == nullptr || *forced == 0) return available.back();
  for (const CpuPath path : available)
    if (std::string(forced) == name(path)) return path;
  throw WrongCpuPath(forced, "must be " + one_of(available) + " on this machine");
}

const char* name(CpuPath path) {
  switch (path) {
    case CpuPath::mpfr: return "mpfr";
    case CpuPath::generic: return "generic";
    case CpuPath::avx2: return "avx2";
    case CpuPath::avx512: return "avx512";
    case CpuPath::avx512ifma: return "avx512ifma";
  }
  return "";
}

std::string cpu_features() {
  std::vector<std::string> found;
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("sse2")) found.push_back("sse2");
  if (__builtin_cpu_supports("avx2")) found.push_back("avx2");
  if (__builtin_cpu_supports("fma")) found.push_back("fma");
  if (__builtin_cpu_supports("avx512f")) found.push_back("avx512f");
  if (__builtin_cpu_supports("avx512ifma")) found.push_back("avx512ifma");
#elif defined(__aarch64__)
  found.push_back("neon");
#endif
  std::string joined;
  for (const std::string& feature : found) joined += (joined.empty() ? "" : " ") + feature;
  return joined;
}

}  // namespace precipice
