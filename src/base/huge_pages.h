// Whether large blocks of memory should ask for huge pages.
#pragma once

#include <string>

namespace velum {

// Strided access over thousands of limbs misses the TLB on 4 KiB pages, which huge ones spare: some per cent
// of a run. But a virtual machine that reports its free pages to its host gives whole huge pages back, and
// pays for every one of them anew when it is touched: a fresh process then spends a multiple of the system's
// time that ordinary pages take. So: not there.
bool huge_pages_pay();

// Whether a virtio balloon under `devices` (/sys/bus/virtio/devices) has negotiated the reporting of free
// pages (virtio 1.2, 5.5.3: device 5, feature bit 5).
bool reports_free_pages(const std::string& devices);

}  // namespace velum
