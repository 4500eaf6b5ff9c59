#include "session/monitor.h"

#include <algorithm>
#include <memory>

#include "base/parallel.h"
#include "system/cores.h"

namespace velum::session {

void heed_cancel(const Monitor& monitor) {
  if (monitor.cancel && monitor.cancel())
    throw Error(ErrorKind::cancelled, "cancelled: the caller asked for an end");
}

std::function<void(double)> watched(const Monitor& monitor) {
  if (!monitor.progress && !monitor.cancel) return {};
  return [monitor, shown = std::make_shared<double>(0)](double share) {
    heed_cancel(monitor);
    *shown = std::max(*shown, std::min(share, 1.0));
    if (monitor.progress) monitor.progress(*shown);
  };
}

int team_of(int threads) {
  return threads > 0 ? threads : std::min(velum::threads(), usable_cores());
}

}  // namespace velum::session
