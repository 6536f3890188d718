# Language, instruction set and sanitizers, as one interface target that every Bramble target links.
include(CTest)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(bramble_default_cpu "-mcpu=cortex-a76")
else()
  # AVX2 and FMA: what SIMDe needs for one instruction per NEON intrinsic.
  set(bramble_default_cpu "-march=x86-64-v3")
endif()
# The core a build is for; tools/quickstart sets it to the board's.
set(BRAMBLE_CPU "${bramble_default_cpu}" CACHE STRING "Instruction-set flag for the compiler")
set(BRAMBLE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (address,undefined or thread)")

# An installed folder may lie anywhere. DT_RPATH rather than DT_RUNPATH: it also serves the libraries' own dependencies.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
add_link_options(-Wl,--disable-new-dtags)

add_library(bramble_flags INTERFACE)
target_include_directories(bramble_flags INTERFACE ${PROJECT_SOURCE_DIR})
# No contraction: a*b+c is fused only where the source says so, so that the same source gives the same bits.
target_compile_options(bramble_flags INTERFACE
  -Wall -Wextra -Wshadow=local -Wnon-virtual-dtor -ffp-contract=off -fno-math-errno "SHELL:${BRAMBLE_CPU}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(bramble_flags INTERFACE -Wno-restrict)  # false alarms in its own std::string
endif()
if(BRAMBLE_SANITIZE)
  target_compile_options(bramble_flags INTERFACE -fsanitize=${BRAMBLE_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(bramble_flags INTERFACE -fsanitize=${BRAMBLE_SANITIZE})
endif()
