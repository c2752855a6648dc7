// The stages of a gradient-descent step, one at a time, in the Space that a run of an MPFR format
// has on this machine: what the benchmark times beside the same stages of plain C MPFR.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/data.hpp"
#include "numbers/format.hpp"

namespace precipice {

class Stages {
 public:
  virtual ~Stages() = default;

  virtual void preactivations() = 0;  // f = X u
  virtual void residuals() = 0;       // z = f v - y
  virtual void gradient() = 0;        // g = X^T z
  virtual void update() = 0;          // u = u - eta g

  // Exactly.
  virtual std::vector<std::string> f() = 0;
  virtual std::vector<std::string> g() = 0;
  virtual std::vector<std::string> u() = 0;
};

// In limbs where the CPU path has kernels for the format, else in MPFR.
std::unique_ptr<Stages> make_stages(const Format& format, const BenchmarkData& data);

}  // namespace precipice
