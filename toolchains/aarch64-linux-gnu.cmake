# Cross-compiles for 64-bit Raspberry Pi OS with Debian's cross compiler, against the sysroot of toolchains/make-sysroot.
# Programs run here through qemu, so ctest works as in a native build.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

get_filename_component(bramble_default_sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot-arm64 ABSOLUTE)
set(BRAMBLE_SYSROOT ${bramble_default_sysroot} CACHE PATH "The arm64 packages, taken apart by toolchains/make-sysroot")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BRAMBLE_SYSROOT)
if(NOT EXISTS ${BRAMBLE_SYSROOT}/.stamp)
  message(FATAL_ERROR "no sysroot in ${BRAMBLE_SYSROOT}: run toolchains/make-sysroot first")
endif()

# Not CMAKE_SYSROOT: the C and C++ libraries are the cross compiler's, only the packages are in the sysroot.
set(CMAKE_FIND_ROOT_PATH ${BRAMBLE_SYSROOT} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(bramble_sysroot_libraries ${BRAMBLE_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(CMAKE_C_FLAGS_INIT "-isystem ${BRAMBLE_SYSROOT}/usr/include")
set(CMAKE_CXX_FLAGS_INIT "-isystem ${BRAMBLE_SYSROOT}/usr/include")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${bramble_sysroot_libraries} -Wl,-rpath-link,${bramble_sysroot_libraries}")
# Programs in the build folder find the sysroot's libraries by it; `cmake --install` replaces it.
set(CMAKE_BUILD_RPATH ${bramble_sysroot_libraries})

set(BRAMBLE_EMULATED_CPU cortex-a76 CACHE STRING "The core that qemu-aarch64 emulates for ctest")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu ${BRAMBLE_EMULATED_CPU})
