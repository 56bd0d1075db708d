// IDX files made by hand: whole, gzip, and broken in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/client_sdk/data/dataset_files.h"

namespace fed::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;

// Two images of 2 x 3 and their labels.
const std::string kImages = Idx({2, 2, 3}, std::string("\x00\x33\x66\x99\xCC\xFF", 6) + "abcdef");
const std::string kLabels = Idx({2}, std::string("\x07\x02", 2));

class IdxTest : public ::testing::Test {
 protected:
  StatusOr<std::unique_ptr<Dataset>> Load(const std::string& images, const std::string& labels) {
    WritePlain(images_path_, images);
    WritePlain(labels_path_, labels);
    return LoadIdxDataset(images_path_, labels_path_);
  }

  const fed::testing::TempFolder folder_;
  const std::string images_path_ = folder_.File("images"), labels_path_ = folder_.File("labels");
};

TEST_F(IdxTest, ScalesBytesToOne) {
  ASSERT_OK_AND_ASSIGN(const auto data, Load(kImages, kLabels));

  EXPECT_EQ(data->size(), 2);
  EXPECT_THAT(data->example_shape(), ElementsAre(2, 3));
  EXPECT_EQ(data->target_values(), 1);
  const Gathered gathered = Gather(*data, {1, 0});
  EXPECT_THAT(gathered.targets, ElementsAre(2, 7));
  EXPECT_FLOAT_EQ(gathered.features[0], 'a' / 255.0F);
  EXPECT_THAT(
      std::vector<float>(gathered.features.begin() + 6, gathered.features.end()),
      ::testing::Pointwise(::testing::FloatEq(), std::vector<float>{0, 0.2F, 0.4F, 0.6F, 0.8F, 1}));
}

TEST_F(IdxTest, ReadsGzip) {
  WriteGzip(images_path_, kImages);
  WriteGzip(labels_path_, kLabels);
  ASSERT_OK_AND_ASSIGN(const auto zipped, LoadIdxDataset(images_path_, labels_path_));
  ASSERT_OK_AND_ASSIGN(const auto plain, Load(kImages, kLabels));
  EXPECT_EQ(GatherAll(*zipped).features, GatherAll(*plain).features);
}

TEST_F(IdxTest, HasNoExamplesIfTheFilesHaveNone) {
  ASSERT_OK_AND_ASSIGN(const auto data, Load(Idx({0, 2, 3}, ""), Idx({0}, "")));
  EXPECT_EQ(data->size(), 0);
}

TEST_F(IdxTest, NamesAMissingFile) {
  WritePlain(images_path_, kImages);
  EXPECT_THAT(LoadIdxDataset(images_path_, labels_path_),
              fed::testing::StatusIs(StatusCode::kNotFound, HasSubstr(labels_path_)));
}

TEST_F(IdxTest, NamesADamagedGzip) {
  WriteGzip(images_path_, kImages);
  WritePlain(labels_path_, kLabels);
  std::string bytes;
  {
    std::ifstream file(images_path_, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::string flipped = bytes;
  flipped[12] = static_cast<char>(~flipped[12]);
  for (const std::string& damaged : {bytes.substr(0, bytes.size() - 12), flipped}) {
    WritePlain(images_path_, damaged);
    EXPECT_THAT(LoadIdxDataset(images_path_, labels_path_),
                fed::testing::StatusIs(StatusCode::kDataLoss, HasSubstr(images_path_)));
  }
}

struct Malformed {
  const char* what;
  std::string images, labels;
  StatusCode code;
  const char* message;  // after the path
};

TEST_F(IdxTest, NamesWhatIsMalformed) {
  const Malformed cases[] = {
      {"empty", "", kLabels, StatusCode::kInvalidArgument,
       "images: not an IDX file: expected two zero bytes, a type and a rank"},
      {"something else", "PNG and so on", kLabels, StatusCode::kInvalidArgument,
       "images: not an IDX file: expected two zero bytes, a type and a rank"},
      {"floats", Idx({2, 2}, std::string(16, 0), 0x0D), kLabels, StatusCode::kInvalidArgument,
       "images: type 13 of rank 2: expected unsigned bytes (type 8) of rank 1 to 9"},
      {"rank", Idx(std::vector<std::uint32_t>(10, 1), "a"), kLabels, StatusCode::kInvalidArgument,
       "images: type 8 of rank 10: expected unsigned bytes (type 8) of rank 1 to 9"},
      {"header cut off", kImages.substr(0, 10), kLabels, StatusCode::kDataLoss,
       "images: ends in its header"},
      {"cut off", kImages.substr(0, kImages.size() - 1), kLabels, StatusCode::kDataLoss,
       "images: ends after 11 of 12 values"},
      {"goes on", kImages + "x", kLabels, StatusCode::kDataLoss,
       "images: goes on after its 12 values"},
      {"huge claim", Idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "abc"), kLabels,
       StatusCode::kInvalidArgument, "images: says that it has more than 17179869184 bytes"},
      {"large claim", Idx({1, 0x10000, 0x10000}, "abc"), kLabels, StatusCode::kDataLoss,
       "images: ends after 3 of 4294967296 values"},
      {"labels of two columns", kImages, Idx({2, 2}, "abcd"), StatusCode::kInvalidArgument,
       "labels: has shape [2, 2]: expected one label for each example"},
      {"flat images", Idx({2}, "ab"), kLabels, StatusCode::kInvalidArgument,
       "images: has shape [2]: expected 2 examples, as many as "},
      {"other number", kImages, Idx({3}, "abc"), StatusCode::kInvalidArgument,
       "images: has shape [2, 2, 3]: expected 3 examples, as many as "},
  };
  for (const Malformed& each : cases) {
    EXPECT_THAT(Load(each.images, each.labels),
                fed::testing::StatusIs(each.code, HasSubstr(folder_.path() + "/" + each.message)))
        << each.what;
  }
}

}  // namespace
}  // namespace fed::client
