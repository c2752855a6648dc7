// How a run's arithmetic is carried out on a CPU path.
#pragma once

#include <string>

#include "machine/cpu_path.hpp"
#include "numbers/arithmetic.hpp"

namespace precipice {

// native: the compiler's type. carried32, carried64: float32 and float64 hold a narrower format's
// numbers, every result rounded to it. exact...: both with sums rounded once. limbs, mpfr: one
// format, to nearest. staged: MPFR, any arithmetic.
enum class Carrier {
  none,
  float32,
  float64,
  float80,
  float128,
  double_double,
  exact32,
  exact64,
  exact_carried32,
  exact_carried64,
  carried32,
  carried64,
  limbs,
  mpfr,
  staged
};

// The fastest that gives the arithmetic's bits; none where this build has none.
Carrier carrier_of(CpuPath path, const Arithmetic& arithmetic);

// Whether this build carries the arithmetic out, and a sentence that says how or why not.
Availability carried_out_by(CpuPath path, const Arithmetic& arithmetic);

}  // namespace precipice
