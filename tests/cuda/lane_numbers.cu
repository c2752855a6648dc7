// One operation of each kind on pairs of numbers, by every class of numbers that lanes have.
#include "numbers/draws.hpp"
#include "numbers/lane_numbers.hpp"

namespace precipice {

// Thread i: a_i + b_i, a_i - b_i, a_i * b_i, a_i / b_i, with the draws 0, 1, 2, 3 of element i.
template <class Numbers>
__global__ void operate(const __grid_constant__ Numbers numbers, const LaneDraws draws,
                        const typename Numbers::Number* a, const typename Numbers::Number* b,
                        typename Numbers::Number* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  ElementDraws of_i(draws, i);
  out[4 * i] = numbers.add(a[i], b[i], of_i.at(0));
  out[4 * i + 1] = numbers.subtract(a[i], b[i], of_i.at(1));
  out[4 * i + 2] = numbers.multiply(a[i], b[i], of_i.at(2));
  out[4 * i + 3] = numbers.divide(a[i], b[i], of_i.at(3));
}

template __global__ void operate(const __grid_constant__ NativeNumbers<float>, const LaneDraws,
                                 const float*, const float*, float*);
template __global__ void operate(const __grid_constant__ NativeNumbers<double>, const LaneDraws,
                                 const double*, const double*, double*);
template __global__ void operate(const __grid_constant__ CarriedNumbers<float>, const LaneDraws,
                                 const float*, const float*, float*);
template __global__ void operate(const __grid_constant__ CarriedNumbers<double>, const LaneDraws,
                                 const double*, const double*, double*);
template __global__ void operate(const __grid_constant__ SoftNumbers, const LaneDraws,
                                 const double*, const double*, double*);

}  // namespace precipice
