// What this processor can do, asked once by the kernel table.
#pragma once

#include <string>

namespace velum {

struct CpuFeatures {
  bool avx2 = false;         // with FMA
  bool avx512 = false;       // F, DQ, BW, VL
  bool avx512_ifma = false;  // 52-bit multiply-add
  bool avx512_vnni = false;  // vpdpwssd
  bool avx512_bf16 = false;  // products of bfloat16; processors with AMX have it too
};

CpuFeatures detect_cpu();
std::string cpu_name();  // as in /proc/cpuinfo, "unknown" where absent

}  // namespace velum
