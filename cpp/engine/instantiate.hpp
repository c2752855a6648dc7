// From a Space to a simulation; each family of numbers instantiates it in a file of its own.
#pragma once

#include <memory>

#include "engine/run_spec.hpp"
#include "numbers/mpfr_number.hpp"
#include "training/curvature.hpp"
#include "training/loop.hpp"
#include "training/trainee.hpp"

namespace precipice {

template <class Space>
std::unique_ptr<Simulation> simulate_in(const RunSpec& spec) {
  using Trainee = MinimalistTrainee<Space>;
  const ExponentRange range(spec.format);
  std::unique_ptr<MinimalistCurvature> curvature;
  if (spec.curvature)
    curvature = std::make_unique<MinimalistCurvature>(*spec.curvature, spec.model);
  return std::make_unique<Loop<Trainee, MinimalistCurvature>>(
      spec.format, spec.loop, std::make_unique<Trainee>(spec.format, spec.model),
      std::move(curvature));
}

std::unique_ptr<Simulation> simulate_float32(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_float64(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_float80(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_float128(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_mpfr(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_limbs(const RunSpec& spec);

}  // namespace precipice
