// One step of gradient flow, d theta / dt = -grad L, by the classical Runge-Kutta method of order
// four. With h rounded to the format of updates, h2 = h / 2, h6 = h / 6, each operation rounded:
//
//   k1 = g(theta)                    k2 = g(theta - h2*k1)
//   k3 = g(theta - h2*k2)            k4 = g(theta - h*k3)
//   theta <- theta - h6*(((k1 + 2*k2) + 2*k3) + k4)
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/space.hpp"
#include "models/element_programs.hpp"
#include "models/training_data.hpp"
#include "training/block.hpp"

namespace precipice {

struct AddTwice {  // a + 2*b
  template <class Space, class Out, class A, class B, class Integer>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A a, B b, Integer two) {
    auto&& twice = space.temporary(out);
    space.multiply_by_integer(twice, b, two);
    space.add(out, a, twice);
  }
};

template <class Model>
class RungeKutta4 {
 public:
  using Space = typename Model::Space;
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;

  RungeKutta4(Space& space, const std::vector<Block<Space>>& blocks)
      : h_(space.scalar(Stage::update)),
        half_(space.scalar(Stage::update)),
        sixth_(space.scalar(Stage::update)),
        two_(space.integer(2)),
        six_(space.integer(6)) {
    for (const Block<Space>& block : blocks)
      slopes_.push_back(space.array(block.current.size, Stage::gradient));
  }

  void set_step(Space& space, const ExactVector& h) {
    space.assign(h_, h, 0);
    space.template map<DivideByInteger>(half_, h_, two_);
    space.template map<DivideByInteger>(sixth_, h_, six_);
  }

  // From the blocks' current parameters, at which the model has been evaluated and differentiated,
  // to their other ones. False if stopped before it was finished.
  bool step(Space& space, Model& model, const TrainingData<Space>& data,
            const std::vector<Block<Space>>& blocks, Change& change) {
    for (int stage = 1; stage <= 4; ++stage) {
      if (stage > 1 && !differentiate_other(space, model, data)) return false;
      change = Change{};
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        const Array k = model.gradient(space, i);
        add(space, slopes_[i], k, stage);
        const Scalar h = stage == 4 ? sixth_ : stage == 3 ? h_ : half_;
        change &= space.descend(blocks[i].other, blocks[i].current, h, stage == 4 ? slopes_[i] : k);
      }
    }
    return true;
  }

 private:
  // The gradient at the parameters of a stage, which lie where step t+1's will.
  static bool differentiate_other(Space& space, Model& model, const TrainingData<Space>& data) {
    model.swap();
    model.evaluate(space, data);
    if (!space.stopped()) model.differentiate(space, data);
    model.swap();
    return !space.stopped();
  }
  void add(Space& space, Array slopes, Array k, int stage) const {
    const Rows all{0, k.size};  // map may stop half way
    if (stage == 1) space.template map_rows<Copy>(all, slopes, k);
    if (stage == 4) space.template map_rows<Add>(all, slopes, slopes, k);
    if (stage == 2 || stage == 3) space.template map_rows<AddTwice>(all, slopes, slopes, k, two_);
  }

  Scalar h_, half_, sixth_;
  typename Space::Integer two_, six_;
  std::vector<Array> slopes_;  // of each block
};

}  // namespace precipice
