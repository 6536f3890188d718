// Uses system calls and own loops only: an inline function of the C++ library, compiled elsewhere with the build's
// instructions, might be the copy that the linker keeps.
#include "engine/cpu_check.h"

#include <unistd.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace bramble::engine {
namespace {

struct NamedFeature {
  unsigned bit;
  const char* name;
};

#if defined(__aarch64__)

constexpr NamedFeature kFeatures[] = {{kAsimd, "NEON"},       {kCrc32, "CRC32"}, {kAtomics, "LSE atomics"},
                                      {kRdm, "RDM"},          {kFp16, "FP16"},   {kDotProd, "dot product"}};

unsigned features_of_this_cpu() {
  constexpr struct {
    unsigned long hwcap;
    unsigned bit;
  } kHwcaps[] = {{HWCAP_ASIMD, kAsimd},     {HWCAP_CRC32, kCrc32},   {HWCAP_ATOMICS, kAtomics},
                 {HWCAP_ASIMDRDM, kRdm},    {HWCAP_ASIMDHP, kFp16},  {HWCAP_ASIMDDP, kDotProd}};
  const unsigned long hwcap = getauxval(AT_HWCAP);
  unsigned features = 0;
  for (const auto& entry : kHwcaps) {
    if (hwcap & entry.hwcap) features |= entry.bit;
  }
  return features;
}

#elif defined(__x86_64__)

constexpr NamedFeature kFeatures[] = {{kAvx, "AVX"},   {kAvx2, "AVX2"},   {kBmi, "BMI1"},   {kBmi2, "BMI2"},
                                      {kF16c, "F16C"}, {kFma, "FMA"},     {kLzcnt, "LZCNT"}, {kMovbe, "MOVBE"},
                                      {kAvx512f, "AVX-512"}};

unsigned features_of_this_cpu() {
  __builtin_cpu_init();
  // The built-in takes literals only. MOVBE has no name in older compilers; every CPU with AVX2 has it.
  unsigned features = 0;
  if (__builtin_cpu_supports("avx")) features |= kAvx;
  if (__builtin_cpu_supports("avx2")) features |= kAvx2 | kMovbe;
  if (__builtin_cpu_supports("bmi")) features |= kBmi;
  if (__builtin_cpu_supports("bmi2")) features |= kBmi2;
  if (__builtin_cpu_supports("f16c")) features |= kF16c;
  if (__builtin_cpu_supports("fma")) features |= kFma;
  if (__builtin_cpu_supports("lzcnt")) features |= kLzcnt;
  if (__builtin_cpu_supports("avx512f")) features |= kAvx512f;
  return features;
}

#else
#error "Bramble builds for AArch64, and for x86-64 through SIMDe"
#endif

/// A line of text in a fixed buffer; what does not fit is cut.
class Line {
 public:
  void add(const char* text) {
    while (*text != '\0' && size_ < sizeof(text_) - 1) text_[size_++] = *text++;
  }
  void add_names(unsigned features) {
    bool first = true;
    for (const NamedFeature& feature : kFeatures) {
      if (!(features & feature.bit)) continue;
      if (!first) add(", ");
      add(feature.name);
      first = false;
    }
  }
  void print_to_stderr() {
    text_[size_++] = '\n';
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text_, size_);
  }

 private:
  char text_[512];
  unsigned long size_ = 0;
};

// Priorities up to 100 are the C library's; 101 comes before every constructor of ours.
[[gnu::constructor(101)]] void check_cpu() {
  const unsigned missing = cpu_needs.features & ~features_of_this_cpu();
  if (missing == 0) return;
  Line line;
  line.add("bramble: error: this build (");
  line.add(cpu_needs.flag);
  line.add(") needs ");
  line.add_names(cpu_needs.features);
  line.add("; this CPU lacks ");
  line.add_names(missing);
  line.add("; build for it with tools/quickstart");
  line.print_to_stderr();
  _exit(1);
}

}  // namespace
}  // namespace bramble::engine
