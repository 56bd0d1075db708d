// A folder of MNIST's files, plain, gzip and incomplete.
#include "client_sdk/data/idx_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/client_sdk/data/dataset_files.h"

namespace fed::client {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;

class IdxFolderTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return folder_.File(name); }
  StatusOr<std::unique_ptr<Dataset>> Load(IdxSplit split) const {
    return LoadIdxFolder(folder_.path(), split);
  }

  // Two images of one pixel for training, one for testing.
  const std::string train_images_ = Idx({2, 1, 1}, "ab"), train_labels_ = Idx({2}, "\x01\x02");
  const std::string test_images_ = Idx({1, 1, 1}, "c"), test_labels_ = Idx({1}, "\x03");
  const fed::testing::TempFolder folder_;
};

TEST_F(IdxFolderTest, FindsEachSplitsFiles) {
  WritePlain(File("train-images-idx3-ubyte"), train_images_);
  WritePlain(File("train-labels-idx1-ubyte"), train_labels_);
  WritePlain(File("t10k-images-idx3-ubyte"), test_images_);
  WritePlain(File("t10k-labels-idx1-ubyte"), test_labels_);

  ASSERT_OK_AND_ASSIGN(const auto train, Load(IdxSplit::kTrain));
  ASSERT_OK_AND_ASSIGN(const auto test, Load(IdxSplit::kTest));

  EXPECT_THAT(GatherAll(*train).targets, ElementsAre(1, 2));
  EXPECT_THAT(GatherAll(*test).targets, ElementsAre(3));
}

TEST_F(IdxFolderTest, TakesGzipWhereNoPlainFileIs) {
  WriteGzip(File("train-images-idx3-ubyte.gz"), train_images_);
  WritePlain(File("train-labels-idx1-ubyte"), train_labels_);
  WritePlain(File("train-labels-idx1-ubyte.gz"), "not gzip, and not read");

  ASSERT_OK_AND_ASSIGN(const auto train, Load(IdxSplit::kTrain));

  EXPECT_THAT(train->example_shape(), ElementsAre(1, 1));
  EXPECT_THAT(GatherAll(*train).targets, ElementsAre(1, 2));
}

TEST_F(IdxFolderTest, NamesTheFilesThatItLookedFor) {
  EXPECT_THAT(Load(IdxSplit::kTrain),
              StatusIs(StatusCode::kNotFound,
                       "neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz is in " +
                           folder_.path()));
  WritePlain(File("t10k-images-idx3-ubyte"), test_images_);
  EXPECT_THAT(Load(IdxSplit::kTest),
              StatusIs(StatusCode::kNotFound,
                       "neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz is in " +
                           folder_.path()));
  EXPECT_THAT(LoadIdxFolder(File("none"), IdxSplit::kTest), StatusIs(StatusCode::kNotFound));
}

TEST_F(IdxFolderTest, PassesOnWhatIsWrongWithAFile) {
  WritePlain(File("t10k-images-idx3-ubyte"), train_images_);
  WritePlain(File("t10k-labels-idx1-ubyte"), test_labels_);
  EXPECT_THAT(Load(IdxSplit::kTest), StatusIs(StatusCode::kInvalidArgument,
                                              ::testing::HasSubstr("t10k-images-idx3-ubyte")));
}

}  // namespace
}  // namespace fed::client
