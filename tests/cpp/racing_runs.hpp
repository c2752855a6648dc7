// Whole steps of both models by the lanes of a Team, from memory that is carved as on a device:
// distributed arrays once, replicated ones in every block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linalg/lane_space.hpp"
#include "models/minimalist.hpp"
#include "models/two_layer_linear.hpp"
#include "numbers/lane_numbers.hpp"

namespace precipice::test {

using Doubles = std::vector<double>;

// Numbers of no meaning, below 1 in size.
inline Doubles scattered(std::size_t n, unsigned seed) {
  Doubles values(n);
  for (double& x : values) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<double>(seed >> 8) / 0x1p23 - 1;
  }
  return values;
}

// X (N, d), y (N), and D-1 factors, or m of them.
struct RacingProblem {
  std::uint32_t rows, columns, factors;
  bool diagonal;
  Order order;
  Doubles x, x_columns, y, first, second;  // first and second: u and v, or W and a

  RacingProblem(std::uint32_t n, std::uint32_t d, std::uint32_t f, Order of_sums, bool two_layer,
                bool spectral = false)
      : rows(n),
        columns(d),
        factors(f),
        diagonal(spectral),
        order(of_sums),
        x(scattered(spectral ? n : n * d, 1)),
        x_columns(x.size()),
        y(scattered(n, 2)),
        first(scattered(two_layer ? f * d : d, 3)),
        second(scattered(f, 4)) {
    for (std::uint32_t i = 0; !spectral && i < n; ++i)
      for (std::uint32_t k = 0; k < d; ++k) x_columns[k * n + i] = x[i * d + k];
  }
};

// Memory of a run: one part for all, one for each block.
struct RacingMemory {
  explicit RacingMemory(std::uint32_t blocks) : distributed(size), replicated(blocks) {
    for (Doubles& block : replicated) block.resize(size);
  }
  static constexpr std::size_t size = 4096;
  Doubles distributed;
  std::vector<Doubles> replicated;
  unsigned words[3] = {5, 6, 7};
  double step_size = 0.25, c = 0.5, kappa = 0.375;
};

// What a lane has of a run.
template <class Team>
class RacingRun {
 public:
  using Space = LaneSpace<NativeNumbers<double>, Team>;
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;

  RacingRun(Team& its_team, const RacingProblem& of, RacingMemory& memory, std::uint32_t block)
      : team(its_team),
        problem(of),
        memory_(memory),
        next_{memory.distributed.data(), memory.replicated[block].data()},
        eta{&memory.step_size, constants},
        data{{problem.x.data(), problem.x_columns.data(), problem.rows, problem.columns,
              problem.diagonal},
             {const_cast<double*>(problem.y.data()), problem.rows, 1, constants},
             Loss::mean,
             {{2, 0.5}, number(problem.rows), number(2 * problem.rows)}} {}

  Array distributed(std::uint32_t n) { return {take(0, n), n, 1, ids_++}; }
  Array replicated(std::uint32_t n) {
    copied_ |= 1u << ids_;
    return {take(1, n), n, 1, ids_++};
  }
  Scalar scalar() { return {replicated(1).data, ids_ - 1}; }
  Scalar constant(double& x) const { return {&x, constants}; }
  typename Space::Weights weights() {
    return {take(0, problem.factors * problem.columns), problem.factors, problem.columns, 1,
            ids_++};
  }
  std::uint32_t copied() const { return copied_ | 1u << constants; }
  RacingMemory& memory() { return memory_; }

 private:
  static constexpr std::uint32_t constants = 28;
  static LaneInteger<double> number(std::uint32_t n) { return {static_cast<double>(n), 0}; }
  double* take(int kind, std::uint32_t n) {
    double* const place = next_[kind];
    next_[kind] += n;
    return place;
  }

 public:
  Team& team;
  const RacingProblem& problem;

 private:
  RacingMemory& memory_;
  double* next_[2];
  std::uint32_t ids_ = 0, copied_ = 0;

 public:
  Scalar eta;
  TrainingData<Space> data;
};

template <class Team>
class RacingMinimalist : public RacingRun<Team> {
 public:
  using Run = RacingRun<Team>;
  using typename Run::Space;
  using Model = Minimalist<Space>;

  RacingMinimalist(Team& its_team, const RacingProblem& of, RacingMemory& memory,
                   std::uint32_t block)
      : Run(its_team, of, memory, block),
        now_{Run::distributed(of.columns), Run::replicated(of.factors)},
        other_{Run::distributed(of.columns), Run::replicated(of.factors)},
        work_{Run::distributed(of.rows),
              Run::replicated(of.rows),
              Run::distributed(of.columns),
              Run::replicated(of.factors),
              Run::scalar(),
              Run::scalar(),
              Run::scalar(),
              Run::scalar()} {}

  void load() {
    Run::team.for_each(now_.u.size, [&](std::uint32_t k) { now_.u[k] = Run::problem.first[k]; });
    Run::team.for_each_in_block(now_.v.size,
                                [&](std::uint32_t j) { now_.v[j] = Run::problem.second[j]; });
  }
  void evaluate(Space& space) {
    Model::gradient(space, Run::data, now_, work_);
    Model::loss(space, Run::data, work_);
  }
  void update(Space& space) {
    space.descend(other_.u, now_.u, Run::eta, work_.g);
    space.descend(other_.v, now_.v, Run::eta, work_.h);
    std::swap(now_, other_);
  }
  typename Space::Scalar loss() const { return work_.L; }
  auto first() const { return now_.u; }
  auto second() const { return now_.v; }

 private:
  typename Model::Parameters now_, other_;
  typename Model::Work work_;
};

template <class Team>
class RacingTwoLayer : public RacingRun<Team> {
 public:
  using Run = RacingRun<Team>;
  using typename Run::Space;
  using Model = TwoLayerLinear<Space>;

  RacingTwoLayer(Team& its_team, const RacingProblem& of, RacingMemory& memory, std::uint32_t block)
      : Run(its_team, of, memory, block),
        factors_{Run::constant(memory.c), Run::constant(memory.kappa), {}},
        now_{Run::weights(), Run::replicated(of.factors), {}, {}},
        other_{Run::weights(), Run::replicated(of.factors), {}, {}},
        work_{} {
    work_.F = Run::distributed(of.rows);
    work_.z = Run::replicated(of.rows);
    work_.t = Run::distributed(of.factors);
    work_.L = Run::scalar();
    work_.b = Run::distributed(of.columns);
    work_.g = Run::distributed(of.columns);
    work_.ka = Run::replicated(of.factors);
  }

  void load() {
    const auto W = first();
    Run::team.for_each(W.size, [&](std::uint32_t i) { W[i] = Run::problem.first[i]; });
    Run::team.for_each_in_block(now_.a.size,
                                [&](std::uint32_t q) { now_.a[q] = Run::problem.second[q]; });
  }
  void evaluate(Space& space) {
    Model::evaluate(space, Run::data, factors_, now_, work_, Contraction::collapsed);
  }
  void update(Space& space) {
    Model::descend(space, factors_, now_, other_, work_, Run::eta);
    std::swap(now_, other_);
  }
  typename Space::Scalar loss() const { return work_.L; }
  typename Space::Array first() const {
    return {now_.W.data, now_.W.rows * now_.W.columns, 1, now_.W.id};
  }
  auto second() const { return now_.a; }

 private:
  typename Model::Factors factors_;
  typename Model::Parameters now_, other_;
  typename Model::Work work_;
};

// What a lane does: a step to warm up, then `steps` between counting(true) and counting(false).
// The leader writes down what was read of each step, and the parameters after the last.
template <template <class> class Model, class Team, class Counting>
void train(Team& team, const RacingProblem& problem, RacingMemory& memory, std::uint32_t block,
           int steps, Doubles& result, const Counting& counting) {
  using Space = typename Model<Team>::Space;
  Model<Team> model(team, problem, memory, block);
  Space space(team, {}, problem.order, model.copied(), memory.words);
  model.load();
  team.grid_barrier();
  Doubles seen;
  for (int step = -1; step < steps; ++step) {
    if (step == 0) counting(true);
    space.begin_step(step);
    model.evaluate(space);
    seen.push_back(space.value(model.loss()));
    const Change change = space.take_change();
    seen.push_back((change.moved ? 1 : 0) + (change.returned ? 2 : 0));
    model.update(space);
  }
  counting(false);
  team.grid_barrier();
  seen.push_back(space.finite(model.first()) ? 1 : 0);
  if (!team.leader()) return;
  for (const auto& a : {model.first(), model.second()})
    for (std::uint32_t i = 0; i < a.size; ++i) seen.push_back(a[i]);
  result = seen;
}

}  // namespace precipice::test
