// Teams of threads, one a lane, so that ThreadSanitizer sees what lanes of a GPU would do to each
// other. Barriers are all that orders their accesses: lanes of a warp exchange partial sums by a
// code that the sanitizer does not look at, as a shuffle orders no memory either.
//
// A team counts the barriers it is asked for, and can leave one of them out.
#pragma once

#include <sched.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "linalg/team.hpp"

namespace precipice::test {

#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

// Where lanes of a warp wait for each other unseen, and exchange numbers.
class WarpExchange {
 public:
  UNSEEN void wait() {
    const std::uint32_t round = __atomic_load_n(&round_, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&here_, 1, __ATOMIC_ACQ_REL) == lanes_of_a_warp) {
      __atomic_store_n(&here_, 0, __ATOMIC_RELAXED);
      __atomic_store_n(&round_, round + 1, __ATOMIC_RELEASE);
      return;
    }
    while (__atomic_load_n(&round_, __ATOMIC_ACQUIRE) == round) sched_yield();
  }
  UNSEEN void put(std::uint32_t lane, double x) { values_[lane] = x; }
  UNSEEN double get(std::uint32_t lane) const { return values_[lane]; }

 private:
  std::uint32_t here_ = 0, round_ = 0;
  double values_[lanes_of_a_warp] = {};
};

// What the lanes of one run share.
struct RacingGround {
  RacingGround(std::uint32_t blocks, std::uint32_t lanes)
      : lanes_of_a_block(lanes), all(blocks * lanes), votes(blocks) {
    for (std::uint32_t b = 0; b < blocks; ++b) {
      in_block.emplace_back(lanes);
      for (auto& word : votes[b].words) word = 0;
      for (std::uint32_t w = 0; w < lanes / lanes_of_a_warp; ++w) warps.emplace_back();
    }
  }
  struct Votes {
    std::atomic<unsigned> words[3];
  };
  std::uint32_t lanes_of_a_block;
  std::barrier<> all;
  std::deque<std::barrier<>> in_block;
  std::deque<WarpExchange> warps;  // a block's one after the other
  std::deque<Votes> votes;
};

struct BarrierCount {
  int block = 0, grid = 0;
  int all() const { return block + grid; }
};

template <bool grid>
class RacingTeam {
 public:
  static constexpr bool one_lane = false, of_grid = grid;

  RacingTeam(RacingGround& ground, std::uint32_t block, std::uint32_t lane)
      : ground_(ground), block_(block), lane_(lane) {}

  template <class F>
  void for_each(std::uint32_t n, F f) const {
    for (std::uint32_t i = block_ * lanes() + lane_; i < n; i += blocks() * lanes()) f(i);
  }
  template <class F>
  void for_each_in_block(std::uint32_t n, F f) const {
    for (std::uint32_t i = lane_; i < n; i += lanes()) f(i);
  }
  template <class F>
  void once(F f) const {
    if (lane_ == 0) f();
  }
  template <class Partial, class Combine, class Store>
  void warps(std::uint32_t n, std::uint32_t partials, Partial partial, Combine combine,
             Store store) {
    const std::uint32_t each = lanes() / lanes_of_a_warp;
    sums(block_ * each + warp(), blocks() * each, n, partials, partial, combine, store);
  }
  template <class Partial, class Combine, class Store>
  void warps_in_block(std::uint32_t n, std::uint32_t partials, Partial partial, Combine combine,
                      Store store) {
    sums(warp(), lanes() / lanes_of_a_warp, n, partials, partial, combine, store);
  }
  // Words are used in turn: the one after the next is cleared, which all have read.
  template <class F>
  bool any(std::uint32_t n, F f) {
    std::atomic<unsigned>(&words)[3] = ground_.votes[block_].words;
    for_each_in_block(n, [&](std::uint32_t i) {
      if (f(i)) words[vote_].store(1, std::memory_order_relaxed);
    });
    ground_.in_block[block_].arrive_and_wait();
    const bool found = words[vote_].load(std::memory_order_relaxed) != 0;
    once([&] { words[(vote_ + 2) % 3].store(0, std::memory_order_relaxed); });
    vote_ = (vote_ + 1) % 3;
    return found;
  }
  static void raise(unsigned* word, unsigned bits) {
    std::atomic_ref<unsigned>(*word).fetch_or(bits, std::memory_order_relaxed);
  }
  void block_barrier() {
    if (due(count_.block)) ground_.in_block[block_].arrive_and_wait();
  }
  void grid_barrier() {
    if (due(count_.grid)) ground_.all.arrive_and_wait();
  }
  bool one_warp() const { return !grid && lanes() == lanes_of_a_warp; }
  bool leader() const { return block_ == 0 && lane_ == 0; }
  bool leading_block() const { return block_ == 0; }
  static std::uint32_t slot() { return 0; }
  static std::uint32_t slots() { return 1; }

  std::uint32_t block() const { return block_; }
  // Barriers are counted from here on, and the one of the given number is left out, if any.
  void count(int left_out) {
    count_ = {};
    left_out_ = left_out;
  }
  BarrierCount counted() const { return count_; }

 private:
  std::uint32_t lanes() const { return ground_.lanes_of_a_block; }
  std::uint32_t blocks() const { return static_cast<std::uint32_t>(ground_.in_block.size()); }
  std::uint32_t warp() const { return lane_ / lanes_of_a_warp; }
  bool due(int& counter) {
    const int number = count_.all();
    ++counter;
    return number != left_out_;
  }

  template <class Partial, class Combine, class Store>
  void sums(std::uint32_t first, std::uint32_t step, std::uint32_t n, std::uint32_t partials,
            Partial partial, Combine combine, Store store) {
    WarpExchange& exchange = ground_.warps[block_ * (lanes() / lanes_of_a_warp) + warp()];
    const std::uint32_t t = lane_ % lanes_of_a_warp;
    for (std::uint32_t i = first; i < n; i += step) {
      if (t < partials) exchange.put(t, partial(i, t));
      for (std::uint32_t w = first_half(partials); w > 0; w /= 2) {
        exchange.wait();
        if (t < w && t + w < partials)
          exchange.put(t, combine(i, exchange.get(t), exchange.get(t + w), w + t));
      }
      if (t == 0) store(i, exchange.get(0));
      exchange.wait();
    }
  }

  RacingGround& ground_;
  std::uint32_t block_, lane_;
  std::uint32_t vote_ = 0;
  BarrierCount count_;
  int left_out_ = -1;
};

// lane(team) on every lane at once.
template <bool grid, class Lane>
void race(std::uint32_t blocks, std::uint32_t lanes, const Lane& lane) {
  RacingGround ground(blocks, lanes);
  std::vector<std::thread> threads;
  for (std::uint32_t b = 0; b < blocks; ++b)
    for (std::uint32_t l = 0; l < lanes; ++l)
      threads.emplace_back([&ground, &lane, b, l] {
        RacingTeam<grid> team(ground, b, l);
        lane(team);
      });
  for (std::thread& thread : threads) thread.join();
}

#undef UNSEEN

}  // namespace precipice::test
