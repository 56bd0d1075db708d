// Which losses this build computes.
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client_sdk/compute/loss.h"

namespace fed::client {
namespace {

struct Maker {
  absl::string_view name;
  std::unique_ptr<Loss> (*make)(std::int64_t outputs);
};

constexpr Maker kMakers[] = {
    {"mse", NewMse},                                    //
    {"softmax_cross_entropy", NewSoftmaxCrossEntropy},  //
};

}  // namespace

StatusOr<std::unique_ptr<Loss>> NewLoss(const std::string& name, std::int64_t outputs) {
  for (const Maker& maker : kMakers) {
    if (maker.name == name) return maker.make(outputs);
  }
  return Status(StatusCode::kUnimplemented,
                absl::StrCat("this build can not compute loss '", name, "'"));
}

}  // namespace fed::client
