// The phases of a run on lanes: which of them compute the elements of an array, and what they wait
// for before. Also the words in which they gather what an update has changed.
#pragma once

#include <cstdint>

#include "linalg/hazards.hpp"
#include "linalg/lane_arrays.hpp"
#include "linalg/team.hpp"

namespace precipice {

template <class Team>
class LanePhases {
 public:
  static constexpr std::uint32_t most_arrays = 29;
  static constexpr std::uint32_t change_words = 3;  // numbered after the arrays

  PRECIPICE_HOST_DEVICE LanePhases(Team& team, std::uint32_t replicated, unsigned* words)
      : team_(team),
        replicated_(replicated),
        hazards_(Team::of_grid ? replicated : ~0u),
        words_(words) {
    if constexpr (!Team::one_lane)
      for (std::uint32_t i = 0; i < change_words; ++i) clear(i);
  }
  LanePhases(const LanePhases&) = delete;
  LanePhases& operator=(const LanePhases&) = delete;

  // A phase with these accesses comes.
  PRECIPICE_HOST_DEVICE void before(const Accesses& next) {
    if constexpr (!Team::one_lane) {
      if (team_.one_warp()) return team_.block_barrier();
      const Wait wait = hazards_.before(next);
      if (wait == Wait::block) team_.block_barrier();
      if (wait == Wait::grid) team_.grid_barrier();
    }
  }

  // The phase itself, for i < n elements of the array numbered `out`.
  template <class F>
  PRECIPICE_HOST_DEVICE void for_each(std::uint32_t out, std::uint32_t n, F f) {
    if constexpr (Team::of_grid)
      if (in_every_block(out)) return team_.for_each_in_block(n, f);
    team_.for_each(n, f);
  }
  template <class Partial, class Combine, class Store>
  PRECIPICE_HOST_DEVICE void warps(std::uint32_t out, std::uint32_t n, std::uint32_t partials,
                                   Partial partial, Combine combine, Store store) {
    if constexpr (Team::of_grid)
      if (in_every_block(out)) return team_.warps_in_block(n, partials, partial, combine, store);
    team_.warps(n, partials, partial, combine, store);
  }

  // What it accesses: of the lane that has element i of `out`, element i of an array, which is its
  // own too if blocks have copies of both arrays or of none.
  template <class A>
  PRECIPICE_HOST_DEVICE static std::uint32_t bit(const A& a) {
    return std::uint32_t(1) << a.id;
  }
  template <class A>
  PRECIPICE_HOST_DEVICE void read(Accesses& next, const A& in, std::uint32_t out) const {
    note_read(next, bit(in), in_every_block(in.id) == in_every_block(out));
  }
  template <class T>
  PRECIPICE_HOST_DEVICE void read(Accesses& next, const LaneScalar<T>& in, std::uint32_t) const {
    next.reads |= bit(in);
  }
  template <class T>
  PRECIPICE_HOST_DEVICE void read(Accesses&, const LaneInteger<T>&, std::uint32_t) const {}
  // Scalars are the first lane's own.
  template <class T>
  PRECIPICE_HOST_DEVICE void read_by_first(Accesses& next, const LaneScalar<T>& in,
                                           std::uint32_t out) const {
    note_read(next, bit(in), !in.others && in_every_block(in.id) == in_every_block(out));
  }
  template <class T>
  PRECIPICE_HOST_DEVICE void read_by_first(Accesses&, const LaneInteger<T>&, std::uint32_t) const {}
  template <class T>
  PRECIPICE_HOST_DEVICE static void written_by_first(Accesses& next, const LaneScalar<T>& out) {
    next.first_writes |= out.others ? bit(out) : 0;
    next.own_writes |= out.others ? 0 : bit(out);
  }

  // Bits of every lane, for all to take. Words are raised at one step, read at the next and cleared
  // at that after it: of three there is always one for each, and no barrier is for them alone. That
  // lanes raise a word together disturbs none of them.
  PRECIPICE_HOST_DEVICE void raise(unsigned bits) {
    if constexpr (Team::one_lane) {
      raised_ |= bits;
    } else {
      before({.own_writes = bit_of_word(word_)});
      team_.raise(words_ + word_, bits);
    }
  }
  // The same for every lane: what was raised since the last time.
  PRECIPICE_HOST_DEVICE unsigned take() {
    if constexpr (Team::one_lane) {
      const unsigned bits = raised_;
      raised_ = 0;
      return bits;
    } else {
      before({.reads = bit_of_word(word_)});
      const unsigned bits = words_[word_];
      clear((word_ + 2) % change_words);
      word_ = (word_ + 1) % change_words;
      return bits;
    }
  }
  template <class F>
  PRECIPICE_HOST_DEVICE bool any(std::uint32_t n, F f) {
    return team_.any(n, f);
  }

 private:
  // No address depends on it: on a GPU the sets stay in registers.
  PRECIPICE_HOST_DEVICE static void note_read(Accesses& next, std::uint32_t array, bool own) {
    next.own_reads |= own ? array : 0;
    next.reads |= own ? 0 : array;
  }
  PRECIPICE_HOST_DEVICE bool in_every_block(std::uint32_t id) const {
    return Team::of_grid && (replicated_ >> id & 1) != 0;
  }
  PRECIPICE_HOST_DEVICE static std::uint32_t bit_of_word(std::uint32_t word) {
    return std::uint32_t(1) << (most_arrays + word);
  }
  PRECIPICE_HOST_DEVICE void clear(std::uint32_t word) {
    before({.writes = bit_of_word(word)});
    if (team_.leading_block()) team_.once([&] { words_[word] = 0; });
  }

  Team& team_;
  const std::uint32_t replicated_;
  Hazards hazards_;
  unsigned* const words_;
  std::uint32_t word_ = 0;  // of this step
  unsigned raised_ = 0;     // by one lane
};

}  // namespace precipice
