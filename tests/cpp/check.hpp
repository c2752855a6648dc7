// What the C++ tests need of a framework: a check that says where and on what operands it failed,
// and a count, since a test that checked nothing has not passed.
#pragma once

#include <iostream>
#include <string>

namespace precipice::test {

struct Tally {
  long checks = 0, failures = 0;
};
inline Tally tally;

inline constexpr long reported_failures = 20;

// The operands are printed only where the check fails.
template <class... Operands>
void check(bool holds, const char* file, int line, const char* what, const Operands&... operands) {
  ++tally.checks;
  if (holds || ++tally.failures > reported_failures) return;
  std::cout << file << ":" << line << ": " << what << " fails";
  ((std::cout << " | " << operands), ...);
  std::cout << "\n";
}

// The exit status of a test program: 0 if something was checked and all of it held.
inline int verdict(const std::string& name) {
  std::cout << name << ": " << tally.checks << " checks, " << tally.failures << " failures"
            << std::endl;
  return tally.checks > 0 && tally.failures == 0 ? 0 : 1;
}

}  // namespace precipice::test

// CHECK(condition, operands to be printed on failure...)
#define CHECK(condition, ...) \
  ::precipice::test::check((condition), __FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__)
