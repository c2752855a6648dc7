// Gradient descent, with and without momentum, for one block of parameters. Each operation is
// rounded; beta is the momentum and eta the step size.
//
//   gradient descent    theta <- theta - eta*g
//   heavy ball          v <- beta*v + g      theta <- theta - eta*v
//   Nesterov            v <- beta*v + g      theta <- theta - eta*(g + beta*v)
//
// The array that takes step t+1's values holds step t-1's on entry, so that a run that returns to
// where it was two steps ago is seen at no extra store.
#pragma once

#include <algorithm>
#include <vector>

#include "linalg/space.hpp"
#include "training/block.hpp"
#include "training/optimizer_spec.hpp"

namespace precipice {

struct Velocity {  // beta*v + g
  template <class Space, class Out, class A, class B, class C>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A beta, B v, C g) {
    space.multiply(out, beta, v);
    space.add(out, out, g);
  }
};

struct LookAhead {  // g + beta*v
  template <class Space, class Out, class A, class B, class C>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A g, B beta, C v) {
    space.multiply(out, beta, v);
    space.add(out, g, out);
  }
};

template <class Space>
class Descent {
 public:
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;

  // Gives the blocks their velocities, +0.
  Descent(Space& space, const OptimizerSpec& spec, std::vector<Block<Space>>& blocks)
      : rule_(spec.rule), momentum_(space.scalar(Stage::update)) {
    if (!has_velocity()) return;
    space.assign(momentum_, spec.momentum, 0);
    std::size_t longest = 0;
    for (Block<Space>& block : blocks) {
      block.velocity = space.array(block.current.size, Stage::update);
      block.other_velocity = space.array(block.current.size, Stage::update);
      longest = std::max<std::size_t>(longest, block.current.size);
    }
    scratch_ = space.array(longest, Stage::update);
  }

  bool has_velocity() const {
    return rule_ == UpdateRule::heavy_ball || rule_ == UpdateRule::nesterov;
  }

  // Finished even if stopped. What moves or returns is the block and its velocity.
  Change step(Space& space, const Block<Space>& block, Scalar eta, Array g) const {
    if (!has_velocity()) return space.descend(block.other, block.current, eta, g);
    const Array scratch{scratch_.data, g.size};
    const Rows all{0, g.size};  // map may stop half way
    space.template map_rows<Velocity>(all, scratch, momentum_, block.velocity, g);
    Change change = space.replace(block.other_velocity, block.velocity, scratch);
    Array direction = block.other_velocity;
    if (rule_ == UpdateRule::nesterov) {
      space.template map_rows<LookAhead>(all, scratch, g, momentum_, block.other_velocity);
      direction = scratch;
    }
    change &= space.descend(block.other, block.current, eta, direction);
    return change;
  }

 private:
  UpdateRule rule_;
  Scalar momentum_;
  Array scratch_{};
};

}  // namespace precipice
