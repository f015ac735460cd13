// What this machine's CPU can do beyond the baseline of the build, asked at run time; false where loops for it are not built.
#pragma once

namespace ff {

#if defined(__x86_64__) && defined(__GNUC__)
inline bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
inline bool has_bmi2() { return __builtin_cpu_supports("bmi2") != 0; }
#else
inline bool has_avx2() { return false; }
inline bool has_bmi2() { return false; }
#endif

}  // namespace ff
