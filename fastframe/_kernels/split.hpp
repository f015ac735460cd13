// A partition of groups, whose values a scatter brought together (scatter.hpp), split into its groups: the second level where
// there are too many groups for one. The partition is in the cache.
#pragma once
#include "kernel.hpp"

namespace ff {

typedef uint16_t own_code_t;      // a group among those of its partition

// Values in group order, and where each group ends; values keep their order within a group.
template <typename T>
inline void split_groups(const T* values, const own_code_t* codes, int64_t count, int64_t n_groups, T* out, int32_t* ends) {
    memset(ends, 0, (size_t)n_groups * sizeof(int32_t));
    for (int64_t at = 0; at < count; ++at) ++ends[codes[at]];
    int32_t next = 0;
    for (int64_t group = 0; group < n_groups; ++group) {
        const int32_t own = ends[group];
        ends[group] = next;   // where it begins, until its values are there
        next += own;
    }
    for (int64_t at = 0; at < count; ++at) out[ends[codes[at]]++] = values[at];
}

}  // namespace ff
