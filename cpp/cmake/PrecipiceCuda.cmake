# Whether the CUDA extension is built, from PRECIPICE_CUDA: AUTO builds it where nvcc works, ON asks
# for it, OFF does without.
#
# Sets PRECIPICE_BUILDS_CUDA, and where it is true enables the language and sets
#   PRECIPICE_CUDA_CODE    options of nvcc: what it makes code for
#   PRECIPICE_CUDA_NAMES   the same for readers
# All architectures wanted that this nvcc knows share two texts of PTX, that of 7.5 and that of 8.0:
# no kernel has an instruction of a later one, and making PTX takes half of the time. Every other GPU
# from 8.0 on, those to come too, compiles the PTX of 8.0 for itself.
set(PRECIPICE_CUDA "AUTO" CACHE STRING "Build the CUDA extension: AUTO (where nvcc works), ON or OFF")
set_property(CACHE PRECIPICE_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT PRECIPICE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "PRECIPICE_CUDA = ${PRECIPICE_CUDA}: must be AUTO, ON or OFF")
endif()
set(PRECIPICE_BUILDS_CUDA FALSE)

# A reason why it is not built: an error if it was asked for.
macro(precipice_without_cuda reason)
  if(PRECIPICE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "PRECIPICE_CUDA = ON: ${reason}")
  endif()
  message(STATUS "Built without CUDA: ${reason}")
  return()
endmacro()

if(PRECIPICE_CUDA STREQUAL "OFF")
  message(STATUS "Built without CUDA: PRECIPICE_CUDA = OFF")
  return()
endif()
include(CheckLanguage)
set(CMAKE_CUDA_ARCHITECTURES 75)  # of checks; kernels have PRECIPICE_CUDA_CODE
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  precipice_without_cuda("no nvcc that works was found")
endif()
execute_process(COMMAND "${CMAKE_CUDA_COMPILER}" --list-gpu-arch
                OUTPUT_VARIABLE known ERROR_QUIET)
set(code compute_80)
set(PRECIPICE_CUDA_NAMES "")
foreach(architecture 80 86 89 90 100 120)
  if(known MATCHES "compute_${architecture}[\r\n]")
    string(APPEND code ",sm_${architecture}")
    string(APPEND PRECIPICE_CUDA_NAMES " ${architecture}")
  endif()
endforeach()
set(PRECIPICE_CUDA_CODE "--generate-code=arch=compute_80,code=[${code}]")
if(known MATCHES "compute_75[\r\n]")
  list(APPEND PRECIPICE_CUDA_CODE "--generate-code=arch=compute_75,code=[sm_75]")
  string(PREPEND PRECIPICE_CUDA_NAMES " 75")
endif()
string(STRIP "${PRECIPICE_CUDA_NAMES} and PTX of 80" PRECIPICE_CUDA_NAMES)
enable_language(CUDA)
find_package(CUDAToolkit QUIET)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0 OR NOT CUDAToolkit_FOUND)
  precipice_without_cuda("needs CUDA 12 with its runtime library (nvcc is ${CMAKE_CUDA_COMPILER_VERSION})")
endif()
if(NOT CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13.0)
  list(APPEND PRECIPICE_CUDA_CODE --compress-mode=size)  # a third of the usual
endif()
# CMake before 3.25.2 does not know how this is said to nvcc.
foreach(kind STANDARD EXTENSION)
  if(NOT DEFINED CMAKE_CUDA20_${kind}_COMPILE_OPTION)
    set(CMAKE_CUDA20_${kind}_COMPILE_OPTION "-std=c++20")
  endif()
endforeach()
set(PRECIPICE_BUILDS_CUDA TRUE)
message(STATUS "Built with CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${PRECIPICE_CUDA_NAMES}")
