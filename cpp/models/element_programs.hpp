// Element programs the models share: what happens to one element, one rounding a line.
#pragma once

#include "linalg/space.hpp"

namespace precipice {

struct Multiply {  // a*b
  template <class Space, class Out, class A, class B>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A a, B b) {
    space.multiply(out, a, b);
  }
};

struct Add {  // a + b
  template <class Space, class Out, class A, class B>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A a, B b) {
    space.add(out, a, b);
  }
};

struct AddProduct {  // f + a*b
  template <class Space, class Out, class F, class A, class B>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, F f, A a, B b) {
    auto product = space.temporary(out);
    space.multiply(product, a, b);
    space.add(out, f, product);
  }
};

struct Copy {  // a; no rounding
  template <class Space, class Out, class A>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A a) {
    space.copy(out, a);
  }
};

struct Residual {  // f*P - y
  template <class Space, class Out, class A, class B, class C>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A f, B p, C y) {
    space.multiply(out, f, p);
    space.subtract(out, out, y);
  }
};

struct ShiftedResidual {  // f*P + b - y
  template <class Space, class Out, class A, class B, class C, class D>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A f, B p, C b, D y) {
    space.multiply(out, f, p);
    space.add(out, out, b);
    space.subtract(out, out, y);
  }
};

struct DivideByInteger {  // a/n
  template <class Space, class Out, class A, class Integer>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, A a, Integer n) {
    space.divide_by_integer(out, a, n);
  }
};

}  // namespace precipice
