// Vectors as one list of numbers for a checkpoint, and back.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace precipice {

// Each vector is preceded by its length, a list of vectors by their number.
class SavedVectors {
 public:
  SavedVectors() = default;
  explicit SavedVectors(const std::vector<double>& numbers) : numbers_(numbers) {}

  void put(const std::vector<double>& vector) {
    numbers_.push_back(static_cast<double>(vector.size()));
    numbers_.insert(numbers_.end(), vector.begin(), vector.end());
  }
  void put(const std::vector<std::vector<double>>& vectors) {
    numbers_.push_back(static_cast<double>(vectors.size()));
    for (const std::vector<double>& vector : vectors) put(vector);
  }
  void take(std::vector<double>& vector) {
    const std::size_t size = take_size();
    const auto begin = numbers_.begin() + static_cast<std::ptrdiff_t>(taken_);
    vector.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    taken_ += size;
  }
  void take(std::vector<std::vector<double>>& vectors) {
    vectors.resize(take_size());
    for (std::vector<double>& vector : vectors) take(vector);
  }
  const std::vector<double>& numbers() const { return numbers_; }

 private:
  // A number that is no size of anything that is left belongs to a damaged checkpoint.
  std::size_t take_size() {
    const double left = static_cast<double>(numbers_.size() - taken_) - 1;
    if (!(left >= 0 && numbers_[taken_] >= 0 && numbers_[taken_] <= left))
      throw std::invalid_argument("state = curvature: must be whole");
    return static_cast<std::size_t>(numbers_[taken_++]);
  }

  std::vector<double> numbers_;
  std::size_t taken_ = 0;
};

}  // namespace precipice
