#pragma once

#include <pybind11/pybind11.h>

namespace precipice {

void bind_build_info(pybind11::module_& m);
void bind_device(pybind11::module_& m);
void bind_ensemble(pybind11::module_& m);
void bind_formats(pybind11::module_& m);
void bind_operate(pybind11::module_& m);
void bind_operators(pybind11::module_& m);
void bind_optimizer_spec(pybind11::module_& m);
void bind_peers(pybind11::module_& m);
void bind_run_spec(pybind11::module_& m);
void bind_loop_state(pybind11::module_& m);
void bind_simulation(pybind11::module_& m);
void bind_spectrum(pybind11::module_& m);
void bind_yardsticks(pybind11::module_& m);

}  // namespace precipice
