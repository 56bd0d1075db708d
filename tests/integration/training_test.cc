// The main flow: devices train, the server merges, the model is what arithmetic says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/tensor/flat_layout.h"
#include "fed/model_plan.h"
#include "tests/integration/job_operator.h"
#include "tests/integration/running_server.h"
#include "tests/integration/sdk_devices.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::Each;
using ::testing::Gt;
using ::testing::Key;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr int kFeatures = 4;
constexpr int kClasses = 3;

Digest TinyLayout() {
  const ModelPlan plan = Must(ParseModelPlan(kTinyPlan, "plan.toml"));
  return Must(FlatLayout::Make(Must(TensorsOf(plan)), RolePatterns{})).digest();
}

// One step of softmax regression over all examples at once, in double, written out.
std::vector<double> StepByHand(const Parameters& model, const TinyData& data, double rate) {
  const auto weight = model.values(*model.Find("fc.weight"));
  const auto bias = model.values(*model.Find("fc.bias"));
  const std::size_t examples = data.labels().size();
  std::vector<double> moved(weight.begin(), weight.end());
  moved.insert(moved.end(), bias.begin(), bias.end());
  for (std::size_t n = 0; n < examples; ++n) {
    const float* x = data.features().data() + n * kFeatures;
    std::array<double, kClasses> p{};
    double sum = 0;
    for (int c = 0; c < kClasses; ++c) {
      double logit = bias[c];
      for (int f = 0; f < kFeatures; ++f) logit += double{weight[c * kFeatures + f]} * x[f];
      sum += p[c] = std::exp(logit);
    }
    for (int c = 0; c < kClasses; ++c) {
      const double error = p[c] / sum - (data.labels()[n] == static_cast<float>(c) ? 1 : 0);
      const double step = rate * error / static_cast<double>(examples);
      for (int f = 0; f < kFeatures; ++f) moved[c * kFeatures + f] -= step * x[f];
      moved[kClasses * kFeatures + c] -= step;
    }
  }
  return moved;
}

TEST(Training, OneClientInOneRoundMovesTheModelByItsOwnStep) {
  const TinyData data(20, 1);
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "one"});

  SdkDevices devices(server);
  devices.Add(TestPki::Shared().Client("only"), "one", data.NativeTrainer());

  ASSERT_TRUE(devices.AwaitEnds());
  EXPECT_THAT(devices.ends(), UnorderedElementsAre(Pair("only/one", IsOk())));
  EXPECT_EQ(oper.Show("one").state(), v1::JOB_STATE_COMPLETED);
  const Parameters initial = Must(Initialize(Must(ParseModelPlan(kTinyPlan, "plan.toml")), 1));
  const std::vector<double> expected = StepByHand(initial, data, 0.5);
  const Parameters model = oper.Download("one", 1);
  const auto weight = model.values(*model.Find("fc.weight"));
  const auto bias = model.values(*model.Find("fc.bias"));
  for (std::size_t i = 0; i < weight.size(); ++i) EXPECT_NEAR(weight[i], expected[i], 1e-6) << i;
  for (std::size_t i = 0; i < bias.size(); ++i) {
    EXPECT_NEAR(bias[i], expected[weight.size() + i], 1e-6) << i;
  }
  const v1::ShowRoundReply round = oper.Round("one", 1);
  EXPECT_EQ(round.round().state(), "PUBLISHED");
  ASSERT_THAT(round.participants(), SizeIs(1));
  EXPECT_EQ(round.participants(0).client(), "only");
  EXPECT_EQ(round.participants(0).receipt(), "COUNTED");
  EXPECT_EQ(round.round().metrics().at("examples"), 20);
}

TEST(Training, FiveClientsTakePartInThreeRoundsAndTheEvaluatorSeesThemLearn) {
  std::vector<std::unique_ptr<TinyData>> shards;
  const TinyData held_out(60, 99);
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "five",
               .rounds = 3,
               .cohort = 5,
               .evaluate_every = 1,
               .training = "learning_rate = 0.5\nepochs = 5\nbatch_size = 5"});

  SdkDevices devices(server);
  devices.Add(TestPki::Shared().Evaluator("judge"), "five", held_out.NativeTrainer());
  for (int i = 0; i < 5; ++i) {
    shards.push_back(std::make_unique<TinyData>(20 + 10 * i, i));
    devices.Add(TestPki::Shared().Client(absl::StrCat("device-", i)), "five",
                shards.back()->NativeTrainer());
  }

  ASSERT_TRUE(devices.AwaitEnds());
  EXPECT_EQ(oper.Show("five").state(), v1::JOB_STATE_COMPLETED);
  for (int number = 1; number <= 3; ++number) {
    const v1::ShowRoundReply round = oper.Round("five", number);
    EXPECT_EQ(round.round().version(), number);
    EXPECT_EQ(round.round().metrics().at("examples"), 20 + 30 + 40 + 50 + 60);
    std::set<std::string> clients;
    for (const v1::Participant& one : round.participants()) {
      clients.insert(one.client());
      EXPECT_EQ(one.receipt(), "COUNTED") << one.client();
    }
    EXPECT_THAT(clients, SizeIs(5));
  }
  const v1::Round last = oper.Round("five", 3).round();
  EXPECT_EQ(last.evaluation().at("examples"), 60);
  EXPECT_THAT(last.evaluation().at("accuracy"), Gt(0.8));
  EXPECT_LT(last.metrics().at("train_loss"),
            oper.Round("five", 1).round().metrics().at("train_loss"));
}

// Each purpose goes to its role, and never the other way round.
TEST(Training, AnEvaluatorGetsVersionsToEvaluateAndAClientRoundsToTrain) {
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "both", .evaluate_every = 1, .in_rounds = "renew_every = \"0s\""});
  const Peer client(server.addresses().main, TestPki::Shared().Client("client"));
  const Peer judge(server.addresses().main, TestPki::Shared().Evaluator("judge"));

  Poll waits(judge.channel(), CheckInFor("both"));
  const v1::Assignment training = AwaitAssignments({&client}, "both").front();
  EXPECT_EQ(training.purpose(), v1::PURPOSE_TRAIN);
  EXPECT_EQ(training.round(), 1);
  EXPECT_THAT(training.update_groups(), ::testing::ElementsAre("delta"));
  UpdateContents update;
  update.job = JobId{"both"};
  update.assignment = AssignmentId{training.ref().assignment()};
  update.layout = TinyLayout();
  update.groups = {{"delta", SomeValues(kFeatures * kClasses + kClasses, 1)}};
  ASSERT_TRUE(Upload(client, MakeUpdate(update), training.ref()).last.has_receipt());

  const v1::Assignment evaluation = Must(waits.Await()).assignment();
  EXPECT_EQ(evaluation.purpose(), v1::PURPOSE_EVALUATE);
  EXPECT_EQ(evaluation.round(), 0);
  EXPECT_EQ(evaluation.base_version(), 1);
  EXPECT_THAT(evaluation.update_groups(), ::testing::IsEmpty());
  v1::ReportEvaluationRequest report;
  *report.mutable_ref() = evaluation.ref();
  (*report.mutable_scalars())["accuracy"] = 0.25;
  EXPECT_THAT(judge.Call(&v1::Participate::Stub::ReportEvaluation, report), IsOk());
  EXPECT_THAT(judge.Call(&v1::Participate::Stub::ReportEvaluation, report), IsOk()) << "again";
  EXPECT_EQ(oper.Models("both").at(1).evaluation().at("accuracy"), 0.25);
  EXPECT_TRUE(oper.AwaitCompleted("both"));
  EXPECT_THAT(Upload(judge, v1::UploadBegin(), "").status,
              StatusIs(StatusCode::kPermissionDenied,
                       "role evaluator may not call /fed.v1.Transfer/Upload"));
}

TEST(Training, TwoJobsRunSideBySideAndDoNotMix) {
  const TinyData data(20, 3);
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "left", .rounds = 2});
  oper.Create({.id = "right", .rounds = 2, .in_model = "seed = 2"});

  SdkDevices devices(server);
  for (const char* const job : {"left", "right"}) {
    devices.Add(TestPki::Shared().Client(absl::StrCat("of-", job)), job, data.NativeTrainer());
  }

  ASSERT_TRUE(devices.AwaitEnds());
  EXPECT_THAT(devices.ends(), Each(Pair(::testing::_, IsOk())));
  for (const char* const job : {"left", "right"}) {
    ASSERT_EQ(oper.Show(job).state(), v1::JOB_STATE_COMPLETED);
    const v1::ShowRoundReply round = oper.Round(job, 2);
    ASSERT_THAT(round.participants(), SizeIs(1));
    EXPECT_EQ(round.participants(0).client(), absl::StrCat("of-", job));
  }
  EXPECT_NE(oper.DigestOf("left", 0), oper.DigestOf("right", 0));
  EXPECT_NE(oper.DigestOf("left", 2), oper.DigestOf("right", 2));
}

// The digest of the last version of a run of its own server.
std::string DigestOfRun(int seed) {
  std::vector<std::unique_ptr<TinyData>> shards;
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "repeat",
               .rounds = 3,
               .cohort = 2,
               .training = "learning_rate = 0.3\nepochs = 2\nbatch_size = 4",
               .in_rounds = absl::StrCat("pool_min = 4\nseed = ", seed)});
  SdkDevices devices(server, 3);
  for (int i = 0; i < 4; ++i) {
    shards.push_back(std::make_unique<TinyData>(16, i));
    devices.Add(TestPki::Shared().Client(absl::StrCat("device-", i)), "repeat",
                shards.back()->NativeTrainer());
  }
  EXPECT_TRUE(devices.AwaitEnds());
  return oper.DigestOf("repeat", 3);
}

TEST(Training, TwoRunsOfOneSeedGiveTheSameModelAndAnotherSeedAnotherOne) {
  const std::string first = DigestOfRun(7);
  EXPECT_THAT(first, SizeIs(64));

  EXPECT_EQ(DigestOfRun(7), first);
  EXPECT_NE(DigestOfRun(8), first);
}

}  // namespace
}  // namespace fed::testing
