// What makes a job, and what is refused before there is one.
#include "server/coordinate/job_creation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bytes.h"
#include "common/tensor/safetensors.h"
#include "server/coordinate/version_catalog.h"
#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kRounds = "count = 1\ncohort = 1";

class JobCreationTest : public ::testing::Test {
 protected:
  JobDraft Draft(const std::string& text, const std::string& plan = kTinyPlan) {
    JobDraft draft;
    draft.spec = text;
    draft.spec_source = "job.toml";
    draft.plan = plan;
    draft.plan_source = "plan.toml";
    return draft;
  }

  // A safetensors file of zeros with these tensors.
  std::unique_ptr<BlobFolder::Draft> ModelFile(const std::vector<TensorInfo>& tensors) {
    auto draft = *world_.blobs().Begin();
    const std::string header = *MakeSafetensorsHeader(tensors, {});
    EXPECT_OK(draft->file().WriteAt(0, AsBytes(header)));
    std::int64_t bytes = static_cast<std::int64_t>(header.size());
    for (const auto& tensor : tensors) {
      bytes += tensor.elements() * static_cast<std::int64_t>(DtypeBytes(tensor.dtype));
    }
    EXPECT_OK(draft->file().Truncate(bytes));
    return draft;
  }

  CoordinatorWorld world_;
};

TEST_F(JobCreationTest, APlanMakesVersionZero) {
  const auto job = world_.coordinator().CreateJob(Draft(JobText("job-a", kRounds)));
  ASSERT_THAT(job, IsOk());
  EXPECT_EQ(job->state, JobState::kDraft);
  EXPECT_EQ(world_.Latest("job-a").version.value, 0);
  EXPECT_EQ(world_.Latest("job-a").made_by.value, 0);

  VersionCatalog catalog(world_.store, world_.blobs());
  const auto manifest = catalog.ManifestOf(JobId{"job-a"}, ModelVersion{0});
  ASSERT_THAT(manifest, IsOk());
  ASSERT_EQ((*manifest)->files.size(), 1);
  EXPECT_EQ((*manifest)->files[0].digest.ToHex(), world_.LatestDigest("job-a"));
  const auto file = catalog.OpenFile(JobId{"job-a"}, ModelVersion{0}, "model");
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(*(*file)->size(), (*manifest)->files[0].bytes);
  EXPECT_EQ(*catalog.OpenFile(JobId{"job-a"}, ModelVersion{0}, "model"), *file);  // shared
  EXPECT_THAT(catalog.OpenFile(JobId{"job-a"}, ModelVersion{0}, "control"),
              StatusIs(StatusCode::kNotFound, HasSubstr("no group \"control\"")));
  EXPECT_THAT(catalog.ManifestOf(JobId{"job-a"}, ModelVersion{1}), StatusIs(StatusCode::kNotFound));
}

TEST_F(JobCreationTest, AVersionThatWasLetGoIsNotFound) {
  world_.Create(JobText("job-b", "count = 3\ncohort = 1",
                        "[evaluation]\nevery = 0\n[retention]\nlast = 1\n"));
  world_.RunRounds("job-b", {"anna"}, 3);
  VersionCatalog catalog(world_.store, world_.blobs());
  EXPECT_THAT(catalog.ManifestOf(JobId{"job-b"}, ModelVersion{1}),
              StatusIs(StatusCode::kNotFound, HasSubstr("no longer kept")));
  EXPECT_THAT(catalog.ManifestOf(JobId{"job-b"}, ModelVersion{3}), IsOk());
}

TEST_F(JobCreationTest, AnIdIsTakenOnce) {
  world_.Create(JobText("job-a", kRounds));
  EXPECT_THAT(world_.coordinator().CreateJob(Draft(JobText("job-a", kRounds))),
              StatusIs(StatusCode::kAlreadyExists, HasSubstr("choose another id")));
}

TEST_F(JobCreationTest, WhatIsWrongIsSaidWithItsSource) {
  const auto create = [&](const std::string& text, const std::string& plan) {
    return world_.coordinator().CreateJob(Draft(text, plan)).status();
  };
  EXPECT_THAT(create("id = 3", kTinyPlan),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("job.toml:1")));
  EXPECT_THAT(create(JobText("job-a", kRounds), "name = \"x\""),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("plan.toml")));
  EXPECT_THAT(
      create(JobText("job-a", kRounds), ""),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("a model plan or an initial model")));
  EXPECT_THAT(create(JobText("job-a", kRounds, "[strategy]\naggregator = \"guess\"\n"), kTinyPlan),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("guess")));
  world_.Restart();
  EXPECT_THAT(*world_.blobs().List(), IsEmpty());
}

TEST_F(JobCreationTest, AnInitialModelMustHaveThePlansTensors) {
  const TensorInfo weight{"fc.weight", Dtype::kF32, {3, 4}}, bias{"fc.bias", Dtype::kF32, {3}};
  const auto create = [&](const std::vector<TensorInfo>& tensors) {
    JobDraft draft = Draft(JobText("job-a", kRounds));
    draft.initial_model = ModelFile(tensors);
    return world_.coordinator().CreateJob(std::move(draft)).status();
  };
  EXPECT_THAT(create({weight}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("no tensor fc.bias F32 [3]")));
  EXPECT_THAT(create({weight, {"fc.bias", Dtype::kF32, {4}}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("fc.bias F32 [4]")));
  EXPECT_THAT(create({weight, {"fc.bias", Dtype::kI64, {3}}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("fc.bias I64 [3]")));
  EXPECT_THAT(create({weight, bias, {"extra", Dtype::kF32, {1}}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("extra F32 [1]")));
  EXPECT_THAT(create({bias, weight}), IsOk());  // in any order
}

TEST_F(JobCreationTest, ABrokenModelFileIsTheOperatorsToMend) {
  JobDraft draft = Draft(JobText("job-a", kRounds), "");
  draft.initial_model = *world_.blobs().Begin();
  ASSERT_OK(draft.initial_model->file().WriteAt(0, AsBytes("not a model")));
  EXPECT_THAT(world_.coordinator().CreateJob(std::move(draft)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("the initial model: ")));
}

TEST_F(JobCreationTest, WithoutAPlanTheFileAloneSaysWhatIsTrained) {
  JobDraft draft = Draft(
      JobText("job-a", kRounds, "[evaluation]\nevery = 0\n[[group]]\nname = \"control\"\n"), "");
  draft.initial_model = ModelFile({{"w", Dtype::kBF16, {5}}, {"n", Dtype::kI64, {2}}});
  ASSERT_THAT(world_.coordinator().CreateJob(std::move(draft)), IsOk());

  const ModelRecord initial = world_.Latest("job-a");
  const auto file = world_.blobs().Open(*Digest::FromHex(initial.files.at("control").digest));
  const auto header = ReadSafetensorsHeader(**file);
  ASSERT_EQ(header->entries.size(), 1);
  EXPECT_EQ(header->entries[0].info, (TensorInfo{"w", Dtype::kF32, {5}}));
}

}  // namespace
}  // namespace fed::server
