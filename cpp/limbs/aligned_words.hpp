// Memory for groups: words whose first one begins a cache line.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "limbs/stored.hpp"

namespace precipice::limbs {

class AlignedWords {
 public:
  AlignedWords() = default;
  explicit AlignedWords(std::size_t n)
      : words_(static_cast<Word*>(::operator new(n * sizeof(Word), cache_line))) {}

  Word* data() const { return words_.get(); }

 private:
  static constexpr std::align_val_t cache_line{64};
  struct Free {
    void operator()(Word* words) const { ::operator delete(words, cache_line); }
  };
  std::unique_ptr<Word, Free> words_;
};

}  // namespace precipice::limbs
