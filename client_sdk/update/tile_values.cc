// Finds tensors by name, subtracts, and refuses what is not finite.
#include "client_sdk/update/tile_values.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/check.h"

namespace fed::client {
namespace {

Status Returned(absl::string_view what) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat("trainer returned ", what));
}

Status CheckSameTensors(const Parameters& base, const Parameters& trained) {
  for (std::size_t i = 0; i < base.size(); ++i) {
    const TensorInfo& expected = base.info(i);
    const std::optional<std::size_t> place = trained.Find(expected.name);
    if (!place) return Returned(absl::StrCat("no tensor '", expected.name, "'"));
    if (trained.info(*place) == expected) continue;
    return Returned(
        absl::StrCat(ToString(trained.info(*place)), ", expected ", ToString(expected)));
  }
  if (trained.size() == base.size()) return {};
  return Returned(absl::StrCat(trained.size(), " tensors, expected the model's ", base.size()));
}

}  // namespace

StatusOr<TileValues> TileValues::Delta(const FlatLayout& layout, const Parameters& base,
                                       const Parameters& trained) {
  FED_RETURN_IF_ERROR(CheckSameTensors(base, trained));
  TileValues result(layout, &base, trained);
  for (const FlatLayout::Part& part : layout.parts()) {
    result.places_.push_back(trained.Find(part.info.name).value());
  }
  return result;
}

StatusOr<TileValues> TileValues::Group(const FlatLayout& layout, const std::string& name,
                                       const Parameters& values) {
  TileValues result(layout, nullptr, values);
  for (const FlatLayout::Part& part : layout.parts()) {
    const std::optional<std::size_t> place = values.Find(part.info.name);
    if (!place) {
      return Returned(absl::StrCat("group '", name, "' without tensor '", part.info.name, "'"));
    }
    const TensorInfo& info = values.info(*place);
    if (info.shape != part.info.shape || !IsTrainableDtype(info.dtype)) {
      return Returned(absl::StrCat("group '", name, "' with ", ToString(info),
                                   ", expected floats in the shape of ", ToString(part.info)));
    }
    result.places_.push_back(*place);
  }
  return result;
}

Status TileValues::Fill(std::int64_t first, absl::Span<float> out) const {
  const FlatLayout::Part* parts = layout_.parts().data();
  const auto copy = [&](const FlatLayout::Part& part, std::int64_t within, std::int64_t count,
                        std::int64_t done) {
    const auto from = static_cast<std::size_t>(within), n = static_cast<std::size_t>(count);
    const auto values = values_.values(places_[static_cast<std::size_t>(&part - parts)]);
    float* to = out.data() + done;
    if (base_ == nullptr) {
      std::copy_n(values.data() + from, n, to);
      return;
    }
    const auto base = base_->values(part.tensor);
    for (std::size_t i = 0; i < n; ++i) to[i] = values[from + i] - base[from + i];
  };
  layout_.ForEachRun(first, static_cast<std::int64_t>(out.size()), copy);
  const auto bad = std::find_if(out.begin(), out.end(), [](float v) { return !std::isfinite(v); });
  if (bad == out.end()) return {};
  return NotFinite(first + (bad - out.begin()), *bad);
}

Status TileValues::NotFinite(std::int64_t place, float value) const {
  Status status;
  layout_.ForEachRun(
      place, 1, [&](const FlatLayout::Part& part, std::int64_t within, std::int64_t, std::int64_t) {
        // Which it is, never its value: logs hold no parameters.
        status = Returned(absl::StrCat(std::isnan(value) ? "NaN" : "an infinity", " in '",
                                       part.info.name, "' at element ", within));
      });
  FED_DCHECK(!status.ok());
  return status;
}

}  // namespace fed::client
