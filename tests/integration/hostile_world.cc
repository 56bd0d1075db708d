// Three peers and what they agree on.
#include "tests/integration/hostile_world.h"

#include <tuple>

#include "common/tensor/flat_layout.h"
#include "fed/model_plan.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

Digest WideLayout() {
  const ModelPlan plan = Must(ParseModelPlan(kWidePlan, "plan.toml"));
  return Must(FlatLayout::Make(Must(TensorsOf(plan)), RolePatterns{})).digest();
}

}  // namespace

const char* const kWidePlan = R"(name = "wide"
input = [100]
loss = "softmax_cross_entropy"

[[layer]]
type = "linear"
name = "fc"
out = 200
)";

HostileWorld::Members HostileWorld::Open(const std::string& job, const Peer& third) {
  operator_.Create({.id = job,
                    .cohort = 2,
                    .in_rounds = "over_selection = 1.5\nrenew_every = \"0s\"",
                    .plan = kWidePlan});
  const auto assigned = AwaitAssignments({&honest_, &other_, &third}, job);
  return {assigned[0], assigned[1], assigned[2]};
}

UpdateContents HostileWorld::Good(const v1::Assignment& assignment, std::uint64_t seed) const {
  UpdateContents contents;
  contents.job = JobId{assignment.ref().job()};
  contents.assignment = AssignmentId{assignment.ref().assignment()};
  contents.base = ModelVersion{assignment.base_version()};
  contents.layout = WideLayout();
  contents.groups = {{"delta", SomeValues(kValues, seed)}};
  contents.scalars = {{"examples", 10.0 * static_cast<double>(seed)}};
  return contents;
}

std::string HostileWorld::PublishedBy(const Members& members) {
  const std::string& job = members.honest.ref().job();
  for (const auto& [peer, assignment, seed] :
       {std::tuple(&honest_, &members.honest, 1), std::tuple(&other_, &members.other, 2)}) {
    const Uploaded uploaded = Upload(*peer, MakeUpdate(Good(*assignment, seed)), assignment->ref());
    EXPECT_THAT(uploaded.status, IsOk());
    EXPECT_TRUE(uploaded.last.has_receipt()) << uploaded.last.ShortDebugString();
  }
  EXPECT_TRUE(operator_.AwaitVersion(job, 1));
  EXPECT_EQ(Seen(job, "honest").receipt(), "COUNTED");
  EXPECT_EQ(Seen(job, "other").receipt(), "COUNTED");
  return operator_.DigestOf(job, 1);
}

std::string HostileWorld::Undisturbed() {
  const Peer silent(server_.addresses().main, TestPki::Shared().Client("silent"));
  return PublishedBy(Open("undisturbed", silent));
}

v1::Participant HostileWorld::Seen(const std::string& job, const std::string& client) {
  const v1::ShowRoundReply round = operator_.Round(job, 1);
  for (const v1::Participant& one : round.participants()) {
    if (one.client() == client) return one;
  }
  ADD_FAILURE() << client << " takes no part in round 1 of " << job;
  return {};
}

}  // namespace fed::testing
