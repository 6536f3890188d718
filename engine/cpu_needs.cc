// Constants only: code here could use the very instructions that are being checked for.
#include "engine/cpu_check.h"

namespace bramble::engine {

extern constexpr CpuNeeds cpu_needs{
    BRAMBLE_CPU_FLAG,
    0
#ifdef __AVX__
        | kAvx
#endif
#ifdef __AVX2__
        | kAvx2
#endif
#ifdef __BMI__
        | kBmi
#endif
#ifdef __BMI2__
        | kBmi2
#endif
#ifdef __F16C__
        | kF16c
#endif
#ifdef __FMA__
        | kFma
#endif
#ifdef __LZCNT__
        | kLzcnt
#endif
#ifdef __MOVBE__
        | kMovbe
#endif
#ifdef __AVX512F__
        | kAvx512f
#endif
#ifdef __ARM_NEON
        | kAsimd
#endif
#ifdef __ARM_FEATURE_CRC32
        | kCrc32
#endif
#ifdef __ARM_FEATURE_ATOMICS
        | kAtomics
#endif
#ifdef __ARM_FEATURE_QRDMX
        | kRdm
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
        | kFp16
#endif
#ifdef __ARM_FEATURE_DOTPROD
        | kDotProd
#endif
};

}  // namespace bramble::engine
