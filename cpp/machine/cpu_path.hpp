// Which kernels run on this machine. Every path gives the same bits; they differ in speed.
//
//              arbitrary precision        float32, float64
//   mpfr       MPFR itself                baseline
//   generic    scalar limbs               baseline
//   avx2       scalar limbs               AVX2 and FMA
//   avx512     scalar limbs               AVX-512
//   avx512ifma limbs in AVX-512 lanes     AVX-512
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace precipice {

enum class CpuPath { mpfr, generic, avx2, avx512, avx512ifma };

// The best this CPU and its operating system have, or what the environment variable PRECIPICE_CPU
// names; read at every call. Throws WrongCpuPath.
CpuPath cpu_path();

// PRECIPICE_CPU names no path, or one that this machine has not.
struct WrongCpuPath : std::invalid_argument {
  WrongCpuPath(const std::string& given, const std::string& accepted)
      : std::invalid_argument("PRECIPICE_CPU = " + given + ": " + accepted),
        value(given),
        rule(accepted) {}
  std::string value, rule;
};

// In ascending order; every machine has the first two.
std::vector<CpuPath> available_cpu_paths();

const char* name(CpuPath path);

// What was looked for and found, for reports: "sse2 avx2 fma".
std::string cpu_features();

}  // namespace precipice
