// A round of three devices, one of which means no good; and the same round without it.
#ifndef FED_TESTS_INTEGRATION_HOSTILE_WORLD_H_
#define FED_TESTS_INTEGRATION_HOSTILE_WORLD_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/crypto/digest.h"
#include "tests/integration/job_operator.h"
#include "tests/integration/peer.h"
#include "tests/integration/running_server.h"
#include "tests/testing/update_builder.h"

namespace fed::testing {

extern const char* const kWidePlan;  // 20,200 values: three tiles, the last one short

// Jobs of this world want two updates of three devices. "honest" and "other" send the same values
// in each job, so that every job that only these two take part in has the same version 1.
class HostileWorld : public ::testing::Test {
 protected:
  struct Members {
    v1::Assignment honest, other, hostile;
  };

  // Makes a job and its round: all three have their assignments.
  Members Open(const std::string& job) { return Open(job, hostile_); }
  Members Open(const std::string& job, const Peer& third);

  // What honest (seed 1), other (2) or hostile (3) may send.
  UpdateContents Good(const v1::Assignment& assignment, std::uint64_t seed) const;

  // Honest and other send their updates, if they have not, and the round is published.
  std::string PublishedBy(const Members& members);

  // The digest of version 1 of a job whose third device stays silent.
  std::string Undisturbed();

  // As the operator sees it.
  v1::Participant Seen(const std::string& job, const std::string& client);

  static constexpr std::int64_t kValues = 200 * 100 + 200;
  RunningServer server_;
  JobOperator operator_{server_};
  Peer honest_{server_.addresses().main, TestPki::Shared().Client("honest")};
  Peer other_{server_.addresses().main, TestPki::Shared().Client("other")};
  Peer hostile_{server_.addresses().main, TestPki::Shared().Client("hostile")};
};

}  // namespace fed::testing

#endif  // FED_TESTS_INTEGRATION_HOSTILE_WORLD_H_
