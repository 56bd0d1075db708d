// A shard: some examples of another data set.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fed/dataset.h"

namespace fed {
namespace client {
namespace {

class Subset final : public Dataset {
 public:
  Subset(const Dataset& whole, std::vector<std::int64_t> indices)
      : whole_(whole), indices_(std::move(indices)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  std::vector<std::int64_t> example_shape() const override { return whole_.example_shape(); }
  std::int64_t target_values() const override { return whole_.target_values(); }

  // Piece by piece, so that no call takes memory.
  void Gather(std::span<const std::int64_t> indices, std::span<float> features,
              std::span<float> targets) const override {
    if (indices.empty()) return;
    const std::size_t each = features.size() / indices.size();
    const std::size_t targets_each = targets.size() / indices.size();
    std::int64_t translated[kPiece];
    for (std::size_t done = 0; done < indices.size(); done += kPiece) {
      const std::size_t count = std::min(kPiece, indices.size() - done);
      for (std::size_t k = 0; k < count; ++k) {
        translated[k] = indices_[static_cast<std::size_t>(indices[done + k])];
      }
      whole_.Gather({translated, count}, features.subspan(done * each, count * each),
                    targets.subspan(done * targets_each, count * targets_each));
    }
  }

 private:
  static constexpr std::size_t kPiece = 256;

  const Dataset& whole_;
  const std::vector<std::int64_t> indices_;
};

}  // namespace
}  // namespace client

StatusOr<std::unique_ptr<Dataset>> NewSubset(const Dataset& whole,
                                             std::vector<std::int64_t> indices) {
  for (std::size_t k = 0; k < indices.size(); ++k) {
    if (indices[k] >= 0 && indices[k] < whole.size()) continue;
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("index ", indices[k], " at place ", k,
                               " is outside of the data set of ", whole.size(), " examples"));
  }
  return std::unique_ptr<Dataset>(std::make_unique<client::Subset>(whole, std::move(indices)));
}

}  // namespace fed
