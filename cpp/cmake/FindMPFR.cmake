# MPFR (>= 4.1) and GMP, as the target MPFR::MPFR.
#
# By default both come from the wheel of gmpy2, a build requirement: portable on every CPU, with
# headers, and under hashed names that no other copy in the process can capture. MPFR_USE_SYSTEM
# takes the system's instead (for distribution packagers).
#
# Sets MPFR_SOURCE (a sentence) and MPFR_BUNDLED_FILES (to be installed beside the module: the two
# libraries and their licence).
include(FindPackageHandleStandardArgs)
option(MPFR_USE_SYSTEM "Link the system's MPFR and GMP instead of those in gmpy2's wheel" OFF)

set(MPFR_BUNDLED_FILES "")
if(MPFR_USE_SYSTEM)
  find_path(MPFR_INCLUDE_DIR mpfr.h)
  find_library(MPFR_LIBRARY mpfr)
  find_library(GMP_LIBRARY gmp)
  set(MPFR_SOURCE "system: ${MPFR_LIBRARY}")
else()
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import importlib.util as u; s = u.find_spec('gmpy2'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE gmpy2_dir OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT gmpy2_dir)
    message(FATAL_ERROR "gmpy2 is not installed in ${Python_EXECUTABLE}: install it, or configure with -DMPFR_USE_SYSTEM=ON")
  endif()
  # Linux wheels put the libraries beside the package, macOS wheels inside it.
  file(GLOB mpfr_files "${gmpy2_dir}/../gmpy2.libs/libmpfr*" "${gmpy2_dir}/.dylibs/libmpfr*" "${gmpy2_dir}/../gmpy2.dylibs/libmpfr*")
  file(GLOB gmp_files "${gmpy2_dir}/../gmpy2.libs/libgmp*" "${gmpy2_dir}/.dylibs/libgmp*" "${gmpy2_dir}/../gmpy2.dylibs/libgmp*")
  list(FILTER gmp_files EXCLUDE REGEX "gmpxx")
  find_path(MPFR_INCLUDE_DIR mpfr.h PATHS "${gmpy2_dir}" NO_DEFAULT_PATH)
  if(mpfr_files AND gmp_files)
    list(GET mpfr_files 0 MPFR_LIBRARY)
    list(GET gmp_files 0 GMP_LIBRARY)
    file(GLOB licence_files "${gmpy2_dir}/../gmpy2-*.dist-info/licenses/COPYING*")
    set(MPFR_BUNDLED_FILES "${MPFR_LIBRARY}" "${GMP_LIBRARY}" ${licence_files})
  endif()
  set(MPFR_SOURCE "bundled from gmpy2's wheel")
endif()

if(MPFR_INCLUDE_DIR)
  file(STRINGS "${MPFR_INCLUDE_DIR}/mpfr.h" version_line REGEX "^#define MPFR_VERSION_STRING")
  string(REGEX REPLACE ".*\"([0-9.]+).*" "\\1" MPFR_VERSION "${version_line}")
endif()
find_package_handle_standard_args(
  MPFR
  REQUIRED_VARS MPFR_LIBRARY GMP_LIBRARY MPFR_INCLUDE_DIR
  VERSION_VAR MPFR_VERSION
  REASON_FAILURE_MESSAGE "no MPFR >= 4.1 (${MPFR_SOURCE}), gmpy2 must be a binary wheel, or use -DMPFR_USE_SYSTEM=ON")

if(MPFR_FOUND AND NOT TARGET MPFR::MPFR)
  add_library(MPFR::MPFR INTERFACE IMPORTED)
  target_include_directories(MPFR::MPFR SYSTEM INTERFACE "${MPFR_INCLUDE_DIR}")
  target_link_libraries(MPFR::MPFR INTERFACE "${MPFR_LIBRARY}" "${GMP_LIBRARY}")
  message(STATUS "MPFR ${MPFR_VERSION} (${MPFR_SOURCE})")
endif()
