// From a Space to a simulation; each family of numbers instantiates it in a file of its own.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "engine/run_spec.hpp"
#include "linalg/exponents.hpp"
#include "training/curvature.hpp"
#include "training/loop.hpp"
#include "training/model_states.hpp"
#include "training/trainee.hpp"

namespace precipice {

template <class Model, class Curvature>
std::unique_ptr<Simulation> simulate_trainee(const RunSpec& spec, const typename Model::Spec& model,
                                             std::unique_ptr<Curvature> curvature) {
  auto trainee =
      std::make_unique<Trainee<Model>>(spec.arithmetic, spec.problem, model, spec.optimizer);
  return std::make_unique<Loop<Trainee<Model>, Curvature>>(
      spec.arithmetic, spec.loop, spec.optimizer, std::move(trainee), std::move(curvature));
}

template <class Space>
std::unique_ptr<Simulation> simulate_model(const RunSpec& spec, const MinimalistSpec& model) {
  using Model = MinimalistState<Space>;
  std::unique_ptr<MinimalistCurvature> curvature;
  if (const auto* surface = std::get_if<CurvatureSpec>(&spec.curvature))
    curvature =
        std::make_unique<MinimalistCurvature>(*surface, spec.problem, model, spec.loop.record);
  return simulate_trainee<Model>(spec, model, std::move(curvature));
}

template <class Space>
std::unique_ptr<Simulation> simulate_model(const RunSpec& spec, const TwoLayerSpec& model) {
  using Model = TwoLayerState<Space>;
  std::unique_ptr<TwoLayerCurvature> curvature;
  if (const auto* surface = std::get_if<TwoLayerCurvatureSpec>(&spec.curvature))
    curvature =
        std::make_unique<TwoLayerCurvature>(*surface, spec.problem, model, spec.loop.record);
  return simulate_trainee<Model>(spec, model, std::move(curvature));
}

template <class Space>
std::unique_ptr<Simulation> simulate_in(const RunSpec& spec) {
  const ExponentRange range = exponent_range<Space>(spec.arithmetic);
  return std::visit([&](const auto& model) { return simulate_model<Space>(spec, model); },
                    spec.model);
}

std::unique_ptr<Simulation> simulate_float32(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_float64(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_float80(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_float128(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_double_double(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_carried32(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_carried64(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_exact32(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_exact64(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_exact_carried32(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_exact_carried64(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_mpfr(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_limbs(const RunSpec& spec);
std::unique_ptr<Simulation> simulate_staged(const RunSpec& spec);

}  // namespace precipice
