// Images and labels in IDX files: two zero bytes, the type (8: unsigned byte), the rank, a 32-bit
// big-endian size for each dimension, then the values row-major.
#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "client_sdk/data/gz_file.h"
#include "common/base/limits.h"
#include "fed/dataset.h"

namespace fed {
namespace client {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::int64_t kMaxIdxBytes = std::int64_t{1} << 34;
constexpr std::size_t kPieceBytes = 4 << 20;

struct IdxFile {
  std::vector<std::int64_t> dimensions;  // examples first
  std::vector<std::uint8_t> values;
};

class IdxDataset final : public Dataset {
 public:
  IdxDataset(IdxFile images, std::vector<std::uint8_t> labels)
      : images_(std::move(images)),
        labels_(std::move(labels)),
        each_(labels_.empty() ? 0 : images_.values.size() / labels_.size()) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  std::vector<std::int64_t> example_shape() const override {
    return {images_.dimensions.begin() + 1, images_.dimensions.end()};
  }
  std::int64_t target_values() const override { return 1; }

  void Gather(std::span<const std::int64_t> indices, std::span<float> features,
              std::span<float> targets) const override {
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const auto i = static_cast<std::size_t>(indices[k]);
      const std::uint8_t* image = &images_.values[i * each_];
      float* out = &features[k * each_];
      for (std::size_t p = 0; p < each_; ++p) out[p] = static_cast<float>(image[p]) / 255.0F;
      targets[k] = labels_[i];
    }
  }

 private:
  const IdxFile images_;
  const std::vector<std::uint8_t> labels_;
  const std::size_t each_;
};

Status Broken(StatusCode code, const std::string& path, absl::string_view what) {
  return Status(code, absl::StrCat(path, ": ", what));
}

StatusOr<std::vector<std::int64_t>> ReadDimensions(GzFile& file) {
  std::uint8_t head[4] = {};
  FED_ASSIGN_OR_RETURN(const std::size_t got, file.Read(absl::MakeSpan(head)));
  if (got < sizeof head || head[0] != 0 || head[1] != 0) {
    return Broken(StatusCode::kInvalidArgument, file.path(),
                  "not an IDX file: expected two zero bytes, a type and a rank");
  }
  if (head[2] != kUnsignedByte || head[3] < 1 || head[3] > kMaxRank + 1) {
    return Broken(StatusCode::kInvalidArgument, file.path(),
                  absl::StrCat("type ", head[2], " of rank ", head[3],
                               ": expected unsigned bytes (type 8) of rank 1 to ", kMaxRank + 1));
  }
  std::vector<std::int64_t> dimensions(head[3]);
  std::int64_t values = 1;
  for (std::int64_t& dimension : dimensions) {
    std::uint8_t b[4] = {};
    FED_ASSIGN_OR_RETURN(const std::size_t bytes, file.Read(absl::MakeSpan(b)));
    if (bytes < sizeof b) return Broken(StatusCode::kDataLoss, file.path(), "ends in its header");
    dimension = (std::int64_t{b[0]} << 24) | (b[1] << 16) | (b[2] << 8) | b[3];
    if (__builtin_mul_overflow(values, dimension, &values) || values > kMaxIdxBytes) {
      return Broken(StatusCode::kInvalidArgument, file.path(),
                    absl::StrCat("says that it has more than ", kMaxIdxBytes, " bytes"));
    }
  }
  return dimensions;
}

// Takes memory as bytes come, never by what the header says alone.
StatusOr<IdxFile> ReadIdx(const std::string& path) {
  FED_ASSIGN_OR_RETURN(GzFile file, GzFile::Open(path));
  IdxFile idx;
  FED_ASSIGN_OR_RETURN(idx.dimensions, ReadDimensions(file));
  std::size_t wanted = 1;
  for (const std::int64_t dimension : idx.dimensions) wanted *= static_cast<std::size_t>(dimension);
  while (idx.values.size() < wanted) {
    const std::size_t begin = idx.values.size();
    idx.values.resize(begin + std::min(kPieceBytes, wanted - begin));
    const auto piece = absl::MakeSpan(idx.values).subspan(begin);
    FED_ASSIGN_OR_RETURN(const std::size_t got, file.Read(piece));
    if (got < piece.size()) {
      return Broken(StatusCode::kDataLoss, path,
                    absl::StrCat("ends after ", begin + got, " of ", wanted, " values"));
    }
  }
  std::uint8_t more = 0;
  FED_ASSIGN_OR_RETURN(const std::size_t after, file.Read(absl::MakeSpan(&more, 1)));
  if (after == 0) return idx;
  return Broken(StatusCode::kDataLoss, path, absl::StrCat("goes on after its ", wanted, " values"));
}

StatusOr<std::unique_ptr<Dataset>> Load(const std::string& images_path,
                                        const std::string& labels_path) {
  FED_ASSIGN_OR_RETURN(IdxFile images, ReadIdx(images_path));
  FED_ASSIGN_OR_RETURN(IdxFile labels, ReadIdx(labels_path));
  if (labels.dimensions.size() != 1) {
    return Broken(StatusCode::kInvalidArgument, labels_path,
                  absl::StrCat("has shape [", absl::StrJoin(labels.dimensions, ", "),
                               "]: expected one label for each example"));
  }
  if (images.dimensions.size() < 2 || images.dimensions[0] != labels.dimensions[0]) {
    return Broken(
        StatusCode::kInvalidArgument, images_path,
        absl::StrCat("has shape [", absl::StrJoin(images.dimensions, ", "), "]: expected ",
                     labels.dimensions[0], " examples, as many as ", labels_path, " has labels"));
  }
  return std::unique_ptr<Dataset>(
      std::make_unique<IdxDataset>(std::move(images), std::move(labels.values)));
}

}  // namespace
}  // namespace client

StatusOr<std::unique_ptr<Dataset>> LoadIdxDataset(const std::string& images_path,
                                                  const std::string& labels_path) {
  try {
    return client::Load(images_path, labels_path);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("no memory for ", images_path, " and ", labels_path));
  }
}

}  // namespace fed
