// Named points at which a test can kill or stall the process. FailpointHit has two definitions:
// common/base/failpoint_off.cc (does nothing; in everything that is installed) and
// tests/testing/failpoint_on.cc (reads FED_FAILPOINTS; in the test builds of the programs). The
// same object files are linked with either.
#ifndef FED_COMMON_BASE_FAILPOINT_H_
#define FED_COMMON_BASE_FAILPOINT_H_

namespace fed {

// `name` is "<component>.<what has just happened>", e.g. "ingest.spool_synced".
void FailpointHit(const char* name);

}  // namespace fed

#endif  // FED_COMMON_BASE_FAILPOINT_H_
