#include <pybind11/pybind11.h>

#include "bindings/bind.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "precipice's compiled core: numbers, models and training loops at any precision.";
  precipice::bind_build_info(m);
  precipice::bind_device(m);
  precipice::bind_formats(m);
  precipice::bind_operate(m);
  precipice::bind_operators(m);
  precipice::bind_optimizer_spec(m);
  precipice::bind_peers(m);
  precipice::bind_run_spec(m);
  precipice::bind_loop_state(m);
  precipice::bind_simulation(m);
  precipice::bind_ensemble(m);
  precipice::bind_spectrum(m);
  precipice::bind_yardsticks(m);
}
