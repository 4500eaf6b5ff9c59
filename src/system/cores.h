// How many threads this process should use.
#pragma once

#include "system/host.h"

namespace velum {

// The processors that it may run on, or its control groups' share of processor time where that is less,
// rounded up.
int usable_cores(const HostFiles& host = {});

// How many threads, `wanted` at most and 1 at least, the system lets this process have at the same time
// (limits on processes: ulimit -u, a container's pids). The parallel runtime ends the process where a thread
// is refused.
int startable_threads(int wanted);

}  // namespace velum
