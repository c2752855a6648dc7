// The random draws of stochastic rounding. A draw depends on the key of the run and on where in the
// run the rounding stands: the step, the call of the Space in that step, the element of its output
// and the rounding of that element. So a run draws the same after a resume and in any order of
// work.
#pragma once

#include <cstdint>

#include "numbers/philox.hpp"

namespace precipice {

class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t run) : key_{seed, run} {}

  // A step begins; its calls count from 0.
  void begin_step(std::int64_t step) {
    place_ = {static_cast<std::uint64_t>(step), before_first_call, 0, 0};
    cached_ = false;
  }
  void begin_call() {
    ++place_[1];
    cached_ = false;
  }

  // 32 bits: half-word index % 8 of the block of eight that the index lies in.
  std::uint32_t at(std::uint64_t element, std::uint64_t index) {
    if (!cached_ || place_[2] != element || place_[3] != index / 8) {
      place_[2] = element;
      place_[3] = index / 8;
      block_ = Philox::block(place_, key_);
      cached_ = true;
    }
    return static_cast<std::uint32_t>(block_[index % 8 / 2] >> (index % 2 == 0 ? 0 : 32));
  }

  // A draw to be made if it is needed.
  struct Draw {
    Draws* draws;
    std::uint64_t element, index;
    std::uint32_t operator()() const { return draws->at(element, index); }
  };
  Draw of(std::uint64_t element, std::uint64_t index) { return {this, element, index}; }

 private:
  static constexpr std::uint64_t before_first_call = ~std::uint64_t(0);

  Philox::Key key_;
  Philox::Counter place_{0, before_first_call, 0, 0};
  Philox::Counter block_{};  // of that place, if cached
  bool cached_ = false;
};

}  // namespace precipice
