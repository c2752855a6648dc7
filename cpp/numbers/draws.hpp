// The random draws of stochastic rounding. A draw depends on the key of the run and on where in the
// run the rounding stands: the step, the call of the Space in that step, the element of its output
// and the rounding of that element. So a run draws the same after a resume and in any order of
// work.
#pragma once

#include <cstdint>

#include "numbers/philox.hpp"

namespace precipice {

// The half-word of its block of eight that an index names. No address depends on it: on a GPU the
// block stays in registers.
PRECIPICE_HOST_DEVICE inline std::uint32_t half_word(const Philox::Counter& block,
                                                     std::uint64_t index) {
  const std::uint64_t low = (index & 2) == 0 ? block[0] : block[1];
  const std::uint64_t high = (index & 2) == 0 ? block[2] : block[3];
  const std::uint64_t word = (index & 4) == 0 ? low : high;
  return static_cast<std::uint32_t>((index & 1) == 0 ? word : word >> 32);
}

// For one thread that carries out a run; keeps the last block.
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
    return half_word(block_, index);
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

// The same draws for one of the lanes that carry out a run, on CPU or GPU.
class LaneDraws {
 public:
  PRECIPICE_HOST_DEVICE LaneDraws(std::uint64_t seed, std::uint64_t run) : key_{seed, run} {}

  PRECIPICE_HOST_DEVICE void begin_step(std::int64_t step) {
    step_ = static_cast<std::uint64_t>(step);
    call_ = ~std::uint64_t(0);
  }
  PRECIPICE_HOST_DEVICE void begin_call() { ++call_; }

  // That of the indices 8 eight, ... 8 eight + 7.
  PRECIPICE_HOST_DEVICE Philox::Counter block(std::uint64_t element, std::uint64_t eight) const {
    return block_at({step_, call_, element, eight}, key_);
  }

 private:
  PRECIPICE_HOST_DEVICE PRECIPICE_OUT_OF_LINE static Philox::Counter block_at(Philox::Counter place,
                                                                              Philox::Key key) {
    return Philox::block(place, key);
  }

  Philox::Key key_;
  std::uint64_t step_ = 0, call_ = ~std::uint64_t(0);
};

// A lane's draws for one element in one call; keeps the last block, since most indices follow each
// other.
class ElementDraws {
 public:
  PRECIPICE_HOST_DEVICE ElementDraws(const LaneDraws& draws, std::uint64_t element)
      : draws_(&draws), element_(element) {}

  struct Draw {
    ElementDraws* draws;
    std::uint64_t index;
    PRECIPICE_HOST_DEVICE std::uint32_t operator()() const { return draws->drawn(index); }
  };
  PRECIPICE_HOST_DEVICE Draw at(std::uint64_t index) { return {this, index}; }

 private:
  PRECIPICE_HOST_DEVICE std::uint32_t drawn(std::uint64_t index) {
    if (eight_ != index / 8) {
      eight_ = index / 8;
      block_ = draws_->block(element_, eight_);
    }
    return half_word(block_, index);
  }

  const LaneDraws* draws_;
  std::uint64_t element_, eight_ = ~std::uint64_t(0);  // none yet
  Philox::Counter block_{};
};

// Where nothing is drawn.
struct NoDraws {
  struct Draw {
    PRECIPICE_HOST_DEVICE std::uint32_t operator()() const { return 0; }
  };
  PRECIPICE_HOST_DEVICE static Draw at(std::uint64_t) { return {}; }
};

}  // namespace precipice
