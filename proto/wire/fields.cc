// Checks and conversions of single fields.
#include "proto/wire/fields.h"

#include <cmath>

namespace fed::wire {

Status Invalid(absl::string_view field, absl::string_view what) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat(field, ": ", what));
}

Status CheckRange(absl::string_view field, std::int64_t value, std::int64_t low,
                  std::int64_t high) {
  if (value >= low && value <= high) return Status();
  return Invalid(field, absl::StrCat(value, " is not in [", low, ", ", high, "]"));
}

Status CheckText(absl::string_view field, absl::string_view text, int max_bytes) {
  if (text.size() <= static_cast<std::size_t>(max_bytes)) return Status();
  return Invalid(field, absl::StrCat(text.size(), " bytes; at most ", max_bytes, " are taken"));
}

StatusOr<Digest> DecodeDigest(absl::string_view field, const std::string& bytes) {
  StatusOr<Digest> digest =
      Digest::FromBytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!digest.ok()) return Invalid(field, absl::StrCat(bytes.size(), " bytes; a digest has 32"));
  return digest;
}

StatusOr<absl::Duration> DecodeMillis(absl::string_view field, std::int64_t millis,
                                      absl::Duration most) {
  FED_RETURN_IF_ERROR(CheckRange(field, millis, 0, absl::ToInt64Milliseconds(most)));
  return absl::Milliseconds(millis);
}

std::int64_t EncodeMillis(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return 0;
  return absl::ToInt64Milliseconds(absl::Ceil(duration, absl::Milliseconds(1)));
}

StatusOr<std::vector<std::string>> DecodeNames(
    absl::string_view field, const google::protobuf::RepeatedPtrField<std::string>& names,
    int most) {
  FED_RETURN_IF_ERROR(CheckRange(absl::StrCat("number of ", field), names.size(), 0, most));
  for (const std::string& name : names) FED_RETURN_IF_ERROR(CheckText(field, name, kMaxNameBytes));
  return std::vector<std::string>(names.begin(), names.end());
}

void EncodeNames(const std::vector<std::string>& names,
                 google::protobuf::RepeatedPtrField<std::string>& out) {
  out.Assign(names.begin(), names.end());
}

StatusOr<std::map<std::string, double>> DecodeScalars(
    absl::string_view field, const google::protobuf::Map<std::string, double>& scalars) {
  FED_RETURN_IF_ERROR(
      CheckRange(absl::StrCat("number of ", field), scalars.size(), 0, kMaxScalars));
  for (const auto& [name, value] : scalars) {
    FED_RETURN_IF_ERROR(CheckText(field, name, kMaxNameBytes));
    if (!std::isfinite(value)) return Invalid(absl::StrCat(field, " '", name, "'"), "not finite");
  }
  return std::map<std::string, double>(scalars.begin(), scalars.end());
}

}  // namespace fed::wire
