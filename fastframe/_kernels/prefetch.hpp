// Lines of memory brought near before they are written.
#pragma once

namespace ff {

// __builtin_prefetch would ask for the line to read, and the write would have to ask again.
inline void prefetch_to_write(const void* address) {
#if defined(__x86_64__) && defined(__GNUC__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char*)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

}  // namespace ff
