// Long calls as their callers watch them, and how many threads they take.
#pragma once

#include <functional>

#include "velum/detail/common.h"

namespace velum::session {

// Throws where the caller asks for an end.
void heed_cancel(const Monitor& monitor);

// For the loops below: passes on a share that never falls, and throws where the caller asks for an end. Empty
// where nobody watches.
std::function<void(double share)> watched(const Monitor& monitor);

// A public number of threads, 0 for as many as this process may use, as a number.
int team_of(int threads);

}  // namespace velum::session
