// Failpoints of everything that is installed: none.
#include "common/base/failpoint.h"

namespace fed {

void FailpointHit(const char*) {}

}  // namespace fed
