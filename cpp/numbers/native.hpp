// The number types the compiler has: which exist here, and exact conversion to and from MPFR.
#pragma once

#include <mpfr.h>

#include <cfloat>

namespace precipice {

// long double is x87's 80 bits on x86-64 Linux, double on Apple's arm64, binary128 on aarch64
// Linux.
inline constexpr bool has_float80 = LDBL_MANT_DIG == 64;

// The build defines MPFR_WANT_FLOAT128 (mpfr.h's switch) where the compiler has __float128.
#if defined(MPFR_WANT_FLOAT128)
inline constexpr bool has_float128 = true;
__extension__ typedef __float128 float128;
#else
inline constexpr bool has_float128 = LDBL_MANT_DIG == 113;
typedef long double float128;
#endif

inline void to_mpfr(mpfr_ptr out, float x) {
  mpfr_set_flt(out, x, MPFR_RNDN);
}
inline void to_mpfr(mpfr_ptr out, double x) {
  mpfr_set_d(out, x, MPFR_RNDN);
}
inline void to_mpfr(mpfr_ptr out, long double x) {
  mpfr_set_ld(out, x, MPFR_RNDN);
}
inline void from_mpfr(float& out, mpfr_srcptr x) {
  out = mpfr_get_flt(x, MPFR_RNDN);
}
inline void from_mpfr(double& out, mpfr_srcptr x) {
  out = mpfr_get_d(x, MPFR_RNDN);
}
inline void from_mpfr(long double& out, mpfr_srcptr x) {
  out = mpfr_get_ld(x, MPFR_RNDN);
}
#if defined(MPFR_WANT_FLOAT128)
inline void to_mpfr(mpfr_ptr out, float128 x) {
  mpfr_set_float128(out, x, MPFR_RNDN);
}
inline void from_mpfr(float128& out, mpfr_srcptr x) {
  out = mpfr_get_float128(x, MPFR_RNDN);
}
#endif

// Inf - Inf and NaN - NaN are NaN, so this holds for finite numbers only; there is no
// std::isfinite for binary128.
template <class T>
inline bool is_finite(T x) {
  return x - x == T(0);
}

}  // namespace precipice
