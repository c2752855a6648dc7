// Kernels that the tests of the PTX interpreter carry out: what lanes do together, calls, stacks,
// grids, integers.
#include <cooperative_groups.h>

#include <cstdint>

extern __shared__ __align__(16) unsigned char block_memory[];

__device__ __noinline__ double horner(double a, double b, int terms) {
  double sum = a;
  for (int i = 0; i < terms; ++i) sum = sum * b + a;
  return sum;
}

// Halving over a warp.
extern "C" __global__ void sum_of_warp(double* out, const double* in, unsigned n) {
  double sum = 0;
  for (unsigned i = threadIdx.x; i < n; i += 32) sum += in[i];
  for (int w = 16; w; w >>= 1) sum += __shfl_down_sync(0xffffffffu, sum, w);
  if (threadIdx.x == 0) *out = sum;
}

// Block memory read backwards; barriers with a reduction, votes, a call.
extern "C" __global__ void backwards(double* out, const double* in, unsigned* words) {
  double* shared = reinterpret_cast<double*>(block_memory);
  shared[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  const double mine = shared[blockDim.x - 1 - threadIdx.x];
  const int any = __syncthreads_or(mine > 2.5);
  const int positive = __popc(__ballot_sync(0xffffffffu, mine > 0));
  out[threadIdx.x] = mine + any + positive + horner(mine, 0.5, static_cast<int>(threadIdx.x % 5));
  words[threadIdx.x] = __reduce_add_sync(0xffffffffu, threadIdx.x);
}

// Each step reads what other blocks wrote in the step before.
extern "C" __global__ void steps_of_grid(double* a, double* b, unsigned* words, int steps) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
  for (int t = 0; t < steps; ++t) {
    b[i] = a[(i + 1) % n] * 0.5 + a[i];
    cooperative_groups::this_grid().sync();
    double* const other = a;
    a = b;
    b = other;
  }
  if (threadIdx.x == 0) atomicOr(words, 1u << blockIdx.x);
}

extern "C" __global__ void integers(const std::int64_t* x, std::uint64_t* y, int which) {
  const std::int64_t a = x[threadIdx.x], b = x[threadIdx.x + 1];
  const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
  const auto low_a = static_cast<unsigned>(a), low_b = static_cast<unsigned>(b);
  const int s = static_cast<int>(b & 63);
  std::uint64_t r = 0;
  int table[4];  // on the stack
  for (int i = 0; i < 4; ++i) table[i] = static_cast<int>(a >> i);
  switch (which) {
    case 0: r = ua * ub; break;
    case 1: r = __umul64hi(ua, ub); break;
    case 2: r = static_cast<std::uint64_t>(__mul64hi(a, b)); break;
    case 3: r = b == 0 ? 0 : static_cast<std::uint64_t>(a / b); break;
    case 4: r = b == 0 ? 0 : ua % ub; break;
    case 5: r = static_cast<std::uint64_t>(__clzll(a) + __popcll(ub)); break;
    case 6: {
      const unsigned __int128 product = static_cast<unsigned __int128>(ua) * ub + ua;
      r = static_cast<std::uint64_t>(product >> 77) ^ static_cast<std::uint64_t>(product);
      break;
    }
    case 7: r = static_cast<std::uint64_t>(static_cast<std::int64_t>(table[b & 3])); break;
    case 8: r = __brevll(ub); break;
    case 9: r = s == 0 ? ua : ua << s | ua >> (64 - s); break;
    case 10: r = __byte_perm(low_a, low_b, 0x5173); break;
    case 11: r = __funnelshift_l(low_a, low_b, 13); break;
    case 12:
      r = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<short>(a)));
      break;
    case 13: r = low_a < low_b ? low_a : low_b; break;
    case 14: r = static_cast<std::uint64_t>(__double2ll_rn(static_cast<double>(a))); break;
    case 15: r = static_cast<std::uint64_t>(__float_as_uint(static_cast<float>(a))); break;
    case 16: r = static_cast<std::uint64_t>(__double_as_longlong(static_cast<double>(ub))); break;
    case 17: r = __umulhi(low_a, low_b); break;
    case 18: r = static_cast<std::uint64_t>(__ffsll(a)); break;
  }
  y[threadIdx.x] = r;
}

// What a thread reads of the next one's depends on a barrier, of the block or of the warp.
extern "C" __global__ void next_of_block(int* out) {
  __shared__ volatile int numbers[64];
  numbers[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = numbers[(threadIdx.x + 1) % 64];
}

extern "C" __global__ void next_of_warp(int* out) {
  __shared__ volatile int numbers[32];
  numbers[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncwarp();
  out[threadIdx.x] = numbers[(threadIdx.x + 1) % 32];
}
