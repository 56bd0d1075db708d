// What comes from the network is checked for form in one place, and nothing is lost on the way.
#include "proto/wire/convert.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/wire/fields.h"

namespace fed::wire {
namespace {

using ::testing::HasSubstr;

Digest DigestOf(const char* text) { return Sha256(absl::string_view(text)); }

ModelPlan TwoLayers() {
  ModelPlan plan;
  plan.name = "mlp";
  plan.input = {28, 28};
  plan.layers = {{"flatten", "", {}, 0},
                 {"linear", "fc1", {{"out", std::int64_t{10}}, {"bias", true}}, 0}};
  plan.loss = "softmax_cross_entropy";
  plan.initializer = {"normal", 0.5};
  return plan;
}

Assignment SomeAssignment() {
  Assignment assignment;
  assignment.ref = {JobId{"fashion"}, AssignmentId{7}};
  assignment.round = RoundId{3};
  assignment.base = ModelVersion{2};
  assignment.manifest = DigestOf("manifest");
  assignment.config = {{"learning_rate", 0.05},
                       {"epochs", std::int64_t{5}},
                       {"shuffle", true},
                       {"note", std::string("x")}};
  assignment.codec = "fp32";
  assignment.update_groups = {"control", "delta"};
  assignment.scalars = {"examples", "loss"};
  assignment.patterns = {{"conv*"}, {"bn*"}};
  assignment.plan = TwoLayers();
  assignment.remaining = absl::Minutes(3);
  assignment.renew_every = absl::Seconds(5);
  assignment.seed = std::numeric_limits<std::uint64_t>::max();
  return assignment;
}

v1::CheckInRequest ValidCheckIn() {
  v1::CheckInRequest message;
  message.mutable_abilities()->add_codecs("fp32");
  message.add_jobs("fashion");
  message.set_hold_ms(60'000);
  return message;
}

TEST(ConvertTest, AnAssignmentComesBackAsItWas) {
  const Assignment sent = SomeAssignment();
  v1::CheckInReply message;
  Encode(CheckInReply{{}, sent}, message);

  const CheckInReply reply = Decode(message).value();

  const auto& got = std::get<Assignment>(reply.work);
  EXPECT_EQ(got.ref, sent.ref);
  EXPECT_EQ(got.purpose, Purpose::kTrain);
  EXPECT_EQ(got.round, sent.round);
  EXPECT_EQ(got.base, sent.base);
  EXPECT_EQ(got.manifest, sent.manifest);
  EXPECT_EQ(got.config, sent.config);
  EXPECT_EQ(got.codec, sent.codec);
  EXPECT_EQ(got.update_groups, sent.update_groups);
  EXPECT_EQ(got.scalars, sent.scalars);
  EXPECT_EQ(got.patterns.frozen, sent.patterns.frozen);
  EXPECT_EQ(got.patterns.local, sent.patterns.local);
  EXPECT_EQ(got.plan, sent.plan);
  EXPECT_EQ(got.remaining, sent.remaining);
  EXPECT_EQ(got.renew_every, sent.renew_every);
  EXPECT_EQ(got.seed, sent.seed);
}

TEST(ConvertTest, AnAssignmentWithoutAPlanHasNone) {
  Assignment sent = SomeAssignment();
  sent.plan.reset();
  v1::Assignment message;
  Encode(sent, message);
  EXPECT_FALSE(Decode(message).value().plan.has_value());
}

TEST(ConvertTest, EveryReasonAndEveryEndComesBackAsItWas) {
  using Reason = ComeBack::Reason;
  for (const Reason reason : {Reason::kNoWork, Reason::kJobPaused, Reason::kShuttingDown,
                              Reason::kBusy, Reason::kJobsEnded, Reason::kNoJob}) {
    v1::ComeBack message;
    Encode(ComeBack{reason, absl::Seconds(2), "why"}, message);
    const ComeBack got = Decode(message).value();
    EXPECT_EQ(got.reason, reason);
    EXPECT_EQ(got.after, absl::Seconds(2));
    EXPECT_EQ(got.text, "why");
  }
  using End = ReceiptEnd::End;
  for (const End end : {End::kCounted, End::kDiscarded, End::kUnknown}) {
    const ReceiptEnd sent{{JobId{"j"}, AssignmentId{1}}, end, ModelVersion{4}, "round failed"};
    v1::ReceiptEnd message;
    Encode(sent, message);
    EXPECT_EQ(Decode(message).value(), sent);
  }
}

TEST(ConvertTest, ACheckInComesBackAsItWas) {
  CheckInRequest sent;
  sent.abilities = {"0.1.0", "linux-x86_64", {"int8", "fp32"}, 600, true};
  sent.labels = {{"site", "berlin"}};
  sent.jobs = {JobId{"a"}, JobId{"b-2"}};
  sent.unsettled = {{JobId{"a"}, AssignmentId{9}}};
  sent.hold = absl::Seconds(50);
  v1::CheckInRequest message;
  Encode(sent, message);

  const CheckInRequest got = Decode(message).value();

  EXPECT_EQ(got.abilities, sent.abilities);
  EXPECT_EQ(got.labels, sent.labels);
  EXPECT_EQ(got.jobs, sent.jobs);
  EXPECT_EQ(got.unsettled, sent.unsettled);
  EXPECT_EQ(got.hold, sent.hold);
}

TEST(ConvertTest, UploadRepliesComeBackAsTheyWere) {
  v1::UploadReply message;
  Encode(UploadReply(UploadProceed{4'096, 1 << 20}), message);
  EXPECT_EQ(std::get<UploadProceed>(Decode(message).value()).offset, 4'096);

  const ReceiptEnd end{
      {JobId{"j"}, AssignmentId{1}}, ReceiptEnd::End::kCounted, ModelVersion{3}, ""};
  Encode(UploadReply(UploadReceipt{DigestOf("u"), end}), message);
  const UploadReply receipt = Decode(message).value();
  EXPECT_EQ(std::get<UploadReceipt>(receipt).digest, DigestOf("u"));
  EXPECT_EQ(std::get<UploadReceipt>(receipt).end, end);

  Encode(UploadReply(UploadRefused{"NaN"}), message);
  EXPECT_EQ(std::get<UploadRefused>(Decode(message).value()).reason, "NaN");
}

TEST(ConvertTest, AManifestMustAgreeWithItself) {
  Manifest manifest{JobId{"j"}, ModelVersion{1}, {}};
  const std::vector<Digest> chunks = {DigestOf("one"), DigestOf("two")};
  const std::int64_t bytes = kChunkBytes + 5;
  manifest.files = {{"model", bytes, FileDigest(bytes, chunks), chunks}};
  v1::GetManifestReply message;
  Encode(manifest, message);
  EXPECT_EQ(Decode(message).value(), manifest);

  message.mutable_files(0)->mutable_chunk_digests()->back() ^= 1;
  EXPECT_EQ(Decode(message).status().code(), StatusCode::kDataLoss);
}

struct BadCheckIn {
  const char* what;
  void (*spoil)(v1::CheckInRequest&);
  const char* message;
};

class BadCheckInTest : public ::testing::TestWithParam<BadCheckIn> {};

TEST_P(BadCheckInTest, IsRefusedWithTheFieldAndWhatWasExpected) {
  v1::CheckInRequest message = ValidCheckIn();
  ASSERT_TRUE(Decode(message).ok());
  GetParam().spoil(message);

  const StatusOr<CheckInRequest> decoded = Decode(message);

  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(decoded.status().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadCheckInTest,
    ::testing::Values(
        BadCheckIn{"HoldTooLong", [](auto& m) { m.set_hold_ms(60'001); },
                   "hold_ms: 60001 is not in [0, 60000]"},
        BadCheckIn{"HoldNegative", [](auto& m) { m.set_hold_ms(-1); }, "hold_ms: -1"},
        BadCheckIn{"JobName", [](auto& m) { m.set_jobs(0, "Fashion!"); },
                   "characters of a-z, 0-9 and '-'"},
        BadCheckIn{"JobNameTooLong", [](auto& m) { m.set_jobs(0, std::string(64, 'a')); }, "job: "},
        BadCheckIn{"TooManyLabels",
                   [](auto& m) {
                     for (int i = 0; i < 33; ++i) (*m.mutable_labels())[std::to_string(i)] = "x";
                   },
                   "number of labels: 33"},
        BadCheckIn{"LongLabel", [](auto& m) { (*m.mutable_labels())["k"] = std::string(513, 'x'); },
                   "labels: 513 bytes; at most 512"},
        BadCheckIn{"AssignmentZero", [](auto& m) { m.add_unsettled()->set_job("j"); },
                   "assignment: 0 is not in [1"},
        BadCheckIn{"ManyUnsettled",
                   [](auto& m) {
                     for (int i = 0; i < 1'025; ++i) m.add_unsettled();
                   },
                   "number of unsettled: 1025"},
        BadCheckIn{"NegativeExamples", [](auto& m) { m.mutable_abilities()->set_examples(-1); },
                   "abilities.examples: -1"},
        BadCheckIn{"ManyCodecs",
                   [](auto& m) {
                     for (int i = 0; i < 64; ++i) m.mutable_abilities()->add_codecs("c");
                   },
                   "number of abilities.codecs: 65"}),
    [](const auto& info) { return info.param.what; });

TEST(ConvertTest, ScalarsAreFiniteAndFew) {
  v1::ReportEvaluationRequest message;
  message.mutable_ref()->set_job("j");
  message.mutable_ref()->set_assignment(1);
  (*message.mutable_scalars())["loss"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Decode(message).status().message(), HasSubstr("scalars 'loss': not finite"));

  message.clear_scalars();
  for (int i = 0; i <= kMaxScalars; ++i) (*message.mutable_scalars())[std::to_string(i)] = 1;
  EXPECT_THAT(Decode(message).status().message(), HasSubstr("number of scalars: 257"));
}

TEST(ConvertTest, RangesOfADownloadAscendAndDoNotOverlap) {
  v1::DownloadRequest message;
  Encode(DownloadRequest{JobId{"j"}, ModelVersion{0}, "model", {{0, 2}, {4, 1}}}, message);
  EXPECT_EQ(Decode(message).value().ranges, (std::vector<ChunkRange>{{0, 2}, {4, 1}}));

  message.mutable_ranges(1)->set_first(1);
  EXPECT_THAT(Decode(message).status().message(), HasSubstr("ranges.first: 1 is not in [2"));
  message.clear_ranges();
  EXPECT_THAT(Decode(message).status().message(), HasSubstr("number of ranges: 0"));
}

TEST(ConvertTest, AnUploadSaysSizesThatFitOneAnother) {
  v1::UploadBegin message;
  Encode(UploadBegin{{JobId{"j"}, AssignmentId{1}}, DigestOf("u"), 100, 36, 500}, message);
  ASSERT_TRUE(Decode(message).ok());

  v1::UploadBegin bad = message;
  bad.set_header_bytes(kMaxUpdateHeaderBytes + 1);
  EXPECT_THAT(Decode(bad).status().message(),
              HasSubstr("header_bytes: 65537 is not in [1, 65536]"));
  bad = message;
  bad.set_total_bytes(135);
  EXPECT_THAT(Decode(bad).status().message(), HasSubstr("total_bytes: 135 is not in [136"));
  bad = message;
  bad.set_digest("short");
  EXPECT_THAT(Decode(bad).status().message(), HasSubstr("digest: 5 bytes; a digest has 32"));
}

TEST(ConvertTest, AValueOfAKindFromTheFutureIsRefused) {
  EXPECT_EQ(Decode(v1::Value()).status().code(), StatusCode::kInvalidArgument);
  v1::CheckInReply reply;
  EXPECT_THAT(Decode(reply).status().message(), HasSubstr("neither an assignment nor"));
  v1::Assignment assignment;
  Encode(SomeAssignment(), assignment);
  assignment.set_purpose(static_cast<v1::Purpose>(77));
  EXPECT_THAT(Decode(assignment).status().message(),
              HasSubstr("77 is not a value that this build"));
}

TEST(ConvertTest, WhatHasNotEndedIsNeverToldAsZero) {
  EXPECT_EQ(EncodeMillis(absl::Microseconds(1)), 1);
  EXPECT_EQ(EncodeMillis(absl::Milliseconds(1'500)), 1'500);
  EXPECT_EQ(EncodeMillis(absl::ZeroDuration()), 0);
  EXPECT_EQ(EncodeMillis(-absl::Seconds(1)), 0);
}

}  // namespace
}  // namespace fed::wire
