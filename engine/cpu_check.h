// Stops a program whose CPU lacks instructions that it was built with, before any of them can run.
//
// cpu_check.cc is compiled without the build's instruction-set flag and runs as the first constructor of the program;
// cpu_needs.cc is compiled with the flag and holds data only: what the compiler was allowed to use.
// Both are linked whole into everything that links bramble_engine; nothing calls them.
#pragma once

namespace bramble::engine {

struct CpuNeeds {
  const char* flag;   // of the build, for the message
  unsigned features;  // bits of CpuFeature
};

/// One bit for each instruction set that a supported build may use.
enum CpuFeature : unsigned {
  // x86-64
  kAvx = 1u << 0,
  kAvx2 = 1u << 1,
  kBmi = 1u << 2,
  kBmi2 = 1u << 3,
  kF16c = 1u << 4,
  kFma = 1u << 5,
  kLzcnt = 1u << 6,
  kMovbe = 1u << 7,
  kAvx512f = 1u << 8,
  // AArch64
  kAsimd = 1u << 16,
  kCrc32 = 1u << 17,
  kAtomics = 1u << 18,
  kRdm = 1u << 19,
  kFp16 = 1u << 20,
  kDotProd = 1u << 21,
};

extern const CpuNeeds cpu_needs;

}  // namespace bramble::engine
