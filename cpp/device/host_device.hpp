// A device on this machine's memory that runs the kernels' text in loops, one run after the other:
// for tests, and for those who want to see what a GPU would compute.
#pragma once

#include "device/device_table.hpp"

namespace precipice {

const DeviceTable& host_device();

}  // namespace precipice
