// Whole rounds: from check-in to a version, and how they fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/tensor/flat_layout.h"
#include "common/tensor/safetensors.h"
#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kThree = {"anna", "bert", "carl"};

std::vector<float> ValuesOf(CoordinatorWorld& world, const ModelRecord& model,
                            const std::string& group = "model") {
  const auto file = world.blobs().Open(*Digest::FromHex(model.files.at(group).digest));
  EXPECT_THAT(file, IsOk());
  const auto header = ReadSafetensorsHeader(**file);
  EXPECT_THAT(header, IsOk());
  std::vector<TensorInfo> tensors;
  for (const auto& entry : header->entries) tensors.push_back(entry.info);
  const auto layout = FlatLayout::Make(tensors, {});
  std::vector<float> values(static_cast<std::size_t>(layout->values()));
  EXPECT_OK(ReadFlat(**file, *header, *layout, 0, absl::MakeSpan(values)));
  return values;
}

std::size_t Count(const CoordinatorWorld& world, const std::string& event) {
  std::size_t count = 0;
  for (const std::string& line : world.log_lines) count += line.rfind(event, 0) == 0 ? 1 : 0;
  return count;
}

TEST(CoordinatorRoundTest, PublishesTheWeightedMeanOfWhatCameIn) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 3"));
  const std::vector<float> before = ValuesOf(world, world.Latest("job-a"));

  std::vector<CheckInCall> calls;
  for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
  std::vector<double> sum(before.size());
  double weight = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_NE(calls[i].work(), nullptr) << i;
    ASSERT_THAT(world.Upload(kThree[i], *calls[i].work()), IsOk());
    const double examples = 10.0 + kThree[i].back() % 7;
    std::uint64_t seed = 17;
    for (const char c : kThree[i] + "delta") seed = seed * 31 + static_cast<unsigned char>(c);
    const auto delta = testing::SomeValues(15, seed);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += examples * double{delta[k]};
    weight += examples;
  }

  EXPECT_EQ(world.Latest("job-a").version.value, 1);
  const std::vector<float> after = ValuesOf(world, world.Latest("job-a"));
  for (std::size_t k = 0; k < after.size(); ++k) {
    EXPECT_NEAR(after[k], before[k] + sum[k] / weight, 1e-6) << k;
  }
  for (const Receipt& receipt : world.Receipts("job-a", 1)) {
    EXPECT_EQ(receipt.end, ReceiptEnd::kCounted);
    EXPECT_EQ(receipt.counted_in.value, 1);
  }
  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kPublished);
  EXPECT_THAT(*world.spool().List(), IsEmpty());
  EXPECT_EQ(world.Job("job-a").state, JobState::kCompleted);
  EXPECT_EQ(Count(world, "round.closed job=job-a round=1 updates=3"), 1);
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorRoundTest, AnAssignmentSaysAllThatADeviceNeeds) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 9\ncohort = 1\nrenew_every = \"2s\"\ntime_limit = \"1m\"",
                       "[schedule]\nlearning_rate_decay = 0.5\n[evaluation]\nevery = 0\n"));
  world.RunRounds("job-a", {"anna"}, 1);

  const CheckInCall call = world.CheckIn("anna");

  ASSERT_NE(call.work(), nullptr);
  const wire::Assignment& work = *call.work();
  EXPECT_EQ(work.ref.job.value, "job-a");
  EXPECT_EQ(work.ref.assignment.value, 2);
  EXPECT_EQ(work.purpose, wire::Purpose::kTrain);
  EXPECT_EQ(work.round.value, 2);
  EXPECT_EQ(work.base.value, 1);
  EXPECT_EQ(std::get<double>(work.config.at("learning_rate")), 0.25);
  EXPECT_EQ(work.codec, "fp32");
  EXPECT_THAT(work.update_groups, ElementsAre("delta"));
  EXPECT_THAT(work.scalars, ElementsAre("examples", "local_steps", "loss"));
  ASSERT_TRUE(work.plan.has_value());
  EXPECT_EQ(work.plan->name, "tiny");
  EXPECT_EQ(work.remaining, absl::Minutes(1));
  EXPECT_EQ(work.renew_every, absl::Seconds(2));
}

TEST(CoordinatorRoundTest, OverSelectionDrawsMoreAndClosesAtTheTarget) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2\nover_selection = 1.5"));
  std::vector<CheckInCall> calls;
  for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
  for (const auto& call : calls) ASSERT_NE(call.work(), nullptr);

  ASSERT_THAT(world.Upload("carl", *calls[2].work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 0);
  ASSERT_THAT(world.Upload("anna", *calls[0].work()), IsOk());

  EXPECT_EQ(world.Latest("job-a").version.value, 1);
  EXPECT_EQ(world.Receipts("job-a", 1).size(), 2);
  EXPECT_THAT(world.Upload("bert", *calls[1].work()),
              StatusIs(StatusCode::kAborted, HasSubstr("round 1")));
  const auto renewed = world.Renew("bert", calls[1].work()->ref);
  ASSERT_THAT(renewed, IsOk());
  EXPECT_FALSE(renewed->go_on);
}

TEST(CoordinatorRoundTest, TheDeadlineDoesNotWaitForStragglers) {
  CoordinatorWorld world;
  world.Create(JobText(
      "job-a", "count = 1\ncohort = 3\nmin_updates = 2\ntime_limit = \"30s\"\nlease = \"60s\""));
  std::vector<CheckInCall> calls;
  for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
  ASSERT_THAT(world.Upload("anna", *calls[0].work()), IsOk());
  ASSERT_THAT(world.Upload("bert", *calls[1].work()), IsOk());

  world.Advance(absl::Seconds(29));
  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kOpen);
  world.Advance(absl::Seconds(1));

  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kPublished);
  EXPECT_EQ(world.Metrics("job-a", 1).at("updates"), 2);
  EXPECT_EQ(world.Metrics("job-a", 1).at("seconds"), 30);
}

TEST(CoordinatorRoundTest, ARoundWithTooFewUpdatesFailsAndSaysSo) {
  CoordinatorWorld world;
  world.Create(
      JobText("job-a",
              "count = 1\ncohort = 2\ntime_limit = \"30s\"\nlease = \"60s\"\nmax_failed = 2\n"
              "backoff_first = \"4s\""));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());

  world.Advance(absl::Seconds(30));

  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kFailed);
  EXPECT_THAT(world.Round("job-a", 1).reason, HasSubstr("too few updates: 1 of at least 2"));
  const Receipt receipt = world.Receipts("job-a", 1).at(0);
  EXPECT_EQ(receipt.end, ReceiptEnd::kDiscarded);
  EXPECT_THAT(receipt.reason, HasSubstr("too few updates"));
  EXPECT_THAT(*world.spool().List(), IsEmpty());
  world.ExpectInvariants("job-a");

  // The next one waits for the back-off; the second failure in a row pauses the job.
  const CheckInCall anna2 = world.CheckIn("anna");
  const CheckInCall bert2 = world.CheckIn("bert");
  EXPECT_FALSE(anna2.answered());
  world.Advance(absl::Seconds(3));
  EXPECT_FALSE(anna2.answered());
  world.Advance(absl::Seconds(1));
  ASSERT_NE(anna2.work(), nullptr);
  EXPECT_EQ(anna2.work()->round.value, 2);
  world.Advance(absl::Seconds(30));
  EXPECT_EQ(world.Job("job-a").state, JobState::kPaused);
  EXPECT_THAT(world.Job("job-a").reason, HasSubstr("2 rounds failed in a row"));
}

TEST(CoordinatorRoundTest, EndsAreToldAtOnceAndOnlyToTheirOwner) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 9\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  const wire::AssignmentRef ref = anna.work()->ref;
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  wire::CheckInRequest asks = MakeRequest();
  asks.unsettled = {ref};

  const CheckInCall held = world.CheckIn("anna", Role::kClient, asks);
  EXPECT_FALSE(held.answered());  // its round is open
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());

  ASSERT_EQ(held.ends().size(), 1);
  EXPECT_EQ(held.ends()[0].ref, ref);
  EXPECT_EQ(held.ends()[0].end, wire::ReceiptEnd::End::kCounted);
  EXPECT_EQ(held.ends()[0].version.value, 1);
  ASSERT_NE(held.come_back(), nullptr);
  EXPECT_LE(held.come_back()->after, absl::Seconds(1));

  const CheckInCall other = world.CheckIn("carl", Role::kClient, asks);
  ASSERT_EQ(other.ends().size(), 1);
  EXPECT_EQ(other.ends()[0].end, wire::ReceiptEnd::End::kUnknown);
}

TEST(CoordinatorRoundTest, ARejectedUpdateIsReplacedAndTheRoundPublishes) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  const CheckInCall carl = world.CheckIn("carl");
  EXPECT_FALSE(carl.answered());
  testing::UpdateContents wrong;
  wrong.job = JobId{"job-a"};
  wrong.assignment = anna.work()->ref.assignment;

  const auto refused = world.Send("anna", anna.work()->ref, testing::MakeUpdate(wrong));

  ASSERT_THAT(refused, IsOk());
  EXPECT_TRUE(std::holds_alternative<wire::UploadRefused>(*refused));
  EXPECT_EQ(world.Assignment(anna.work()->ref).state, AssignmentState::kRejected);
  ASSERT_NE(carl.work(), nullptr);
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());
  ASSERT_THAT(world.Upload("carl", *carl.work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 1);
  const CheckInCall again = world.CheckIn("anna");
  EXPECT_EQ(again.work(), nullptr);
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorRoundTest, MetricsAndClientsAreCounted) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  world.coordinator().CountDownload(JobId{"job-a"}, 700);
  world.Advance(absl::Seconds(2));
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());

  const Scalars metrics = world.Metrics("job-a", 1);
  EXPECT_EQ(metrics.at("updates"), 2);
  EXPECT_EQ(metrics.at("examples"), 20.0 + 'a' % 7 + 't' % 7);
  EXPECT_NEAR(metrics.at("train_loss"), 0.5, 1e-12);
  EXPECT_EQ(metrics.at("bytes_down"), 700);
  EXPECT_EQ(metrics.at("bytes_up"),
            static_cast<double>(world.UpdateOf("anna", *anna.work()).total_bytes() * 2));
  EXPECT_EQ(metrics.at("seconds"), 2);
  world.Advance(absl::Seconds(3));
  const ClientRecord client = world.Client("anna");
  EXPECT_EQ(client.sdk_version, "0.1.0");
  EXPECT_EQ(client.platform, "linux-test");
  EXPECT_EQ(client.examples, 100);
  EXPECT_GE(client.last_seen, client.first_seen);
}

TEST(CoordinatorRoundTest, TheGateSaysWhatAnUpdateMustLookLikeAndWhoMaySendIt) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 9\ncohort = 2",
                       "[evaluation]\nevery = 0\n[limits]\nmax_update_norm = 4.5\n"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  const wire::AssignmentRef ref = anna.work()->ref;
  const auto expects = [&](const std::string& name, const wire::AssignmentRef& of) {
    return world.coordinator().Expects(CoordinatorWorld::CallerOf(name), of);
  };

  const auto terms = expects("anna", ref);
  ASSERT_THAT(terms, IsOk());
  EXPECT_EQ(terms->joins.value, 1);
  EXPECT_EQ(terms->base.value, 0);
  EXPECT_EQ(terms->codec, "fp32");
  EXPECT_THAT(terms->groups, ElementsAre(UpdateGroup{"delta", 15}));
  EXPECT_EQ(terms->weight_scalar, "examples");
  EXPECT_EQ(terms->max_norm, 4.5);
  EXPECT_THAT(expects("bert", ref), StatusIs(StatusCode::kNotFound, HasSubstr("of this client")));
  EXPECT_THAT(expects("anna", {ref.job, AssignmentId{9}}), StatusIs(StatusCode::kNotFound));
  world.coordinator().Rejected(CoordinatorWorld::CallerOf("anna"), ref, "NaN");
  EXPECT_THAT(expects("anna", ref), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("NaN")));
  ASSERT_THAT(world.coordinator().StopJob(JobId{"job-a"}, ""), IsOk());
  EXPECT_THAT(expects("bert", bert.work()->ref),
              StatusIs(StatusCode::kAborted, HasSubstr("round 1 is closed")));
}

TEST(CoordinatorRoundTest, ASelectionThatTimesOutDrawsFromFewer) {
  CoordinatorWorld world;
  world.Create(
      JobText("job-a", "count = 1\ncohort = 3\nmin_updates = 2\nselection_timeout = \"20s\""));
  const CheckInCall anna = world.CheckIn("anna");
  EXPECT_THAT(world.coordinator().Live(JobId{"job-a"})->waiting_for, HasSubstr("1 of 3"));
  world.Advance(absl::Seconds(30));
  EXPECT_FALSE(anna.answered());

  const CheckInCall bert = world.CheckIn("bert");

  ASSERT_NE(anna.work(), nullptr);
  ASSERT_NE(bert.work(), nullptr);
  // A device that comes later fills the place that is left.
  const CheckInCall carl = world.CheckIn("carl");
  ASSERT_NE(carl.work(), nullptr);
  EXPECT_EQ(world.Assignments("job-a", 1).size(), 3);
}

TEST(CoordinatorRoundTest, ASecondGroupMovesItsOwnFile) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 2\ncohort = 2",
                       "[evaluation]\nevery = 0\n[[group]]\nname = \"control\"\n"
                       "weighting = \"uniform\"\n"));
  EXPECT_THAT(ValuesOf(world, world.Latest("job-a"), "control"), ::testing::Each(0.0F));

  world.RunRounds("job-a", {"anna", "bert"}, 2);

  EXPECT_THAT(ValuesOf(world, world.Latest("job-a"), "control"),
              ::testing::Not(::testing::Contains(0.0F)));
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorRoundTest, CorruptBytesDiscardTheirOwnReceiptOnly) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 3\nmin_updates = 2"));
  std::vector<CheckInCall> calls;
  for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
  ASSERT_THAT(world.Upload("anna", *calls[0].work()), IsOk());
  const Receipt receipt = world.Receipts("job-a", 1).at(0);
  {
    const auto file =
        world.files.Open("/state/spool/" + receipt.spool_file, FileSystem::Mode::kReadWrite);
    ASSERT_THAT(file, IsOk());
    const std::uint8_t bad[] = {0xff};
    ASSERT_OK((*file)->WriteAt(*(*file)->size() - 2, bad));
  }
  world.Restart();  // so that tiles are hashed again
  ASSERT_THAT(world.Upload("bert", *calls[1].work()), IsOk());
  ASSERT_THAT(world.Upload("carl", *calls[2].work()), IsOk());

  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kPublished);
  const Receipt after = world.Receipts("job-a", 1).at(0);
  EXPECT_EQ(after.end, ReceiptEnd::kDiscarded);
  EXPECT_THAT(after.reason, HasSubstr("corrupt"));
  EXPECT_EQ(world.Metrics("job-a", 1).at("updates"), 2);
}

}  // namespace
}  // namespace fed::server
