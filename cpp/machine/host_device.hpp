// What runs on the CPU and on a GPU alike is marked so; elsewhere the marks are nothing.
#pragma once

// PRECIPICE_OUT_OF_LINE: of hundreds of instructions, of which a kernel is to hold one copy.
// PRECIPICE_UNROLL(n): on a GPU the loop that follows takes n steps at once, and loads for all.
#ifdef __CUDACC__
#define PRECIPICE_HOST_DEVICE __host__ __device__
#define PRECIPICE_OUT_OF_LINE __noinline__
#define PRECIPICE_PRAGMA(text) _Pragma(#text)
#define PRECIPICE_UNROLL(n) PRECIPICE_PRAGMA(unroll n)
#else
#define PRECIPICE_HOST_DEVICE
#define PRECIPICE_OUT_OF_LINE
#define PRECIPICE_UNROLL(n)
#endif
