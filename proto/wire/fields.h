// Checks and conversions of single fields, shared by the files behind convert.h.
#ifndef FED_PROTO_WIRE_FIELDS_H_
#define FED_PROTO_WIRE_FIELDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/limits.h"
#include "common/crypto/digest.h"
#include "fed/status.h"
#include "google/protobuf/map.h"
#include "google/protobuf/repeated_field.h"

namespace fed::wire {

// "assignment.round: -3 is not in [0, 100]".
Status Invalid(absl::string_view field, absl::string_view what);
Status CheckRange(absl::string_view field, std::int64_t value, std::int64_t low, std::int64_t high);
Status CheckText(absl::string_view field, absl::string_view text, int max_bytes);
StatusOr<Digest> DecodeDigest(absl::string_view field, const std::string& bytes);

// Milliseconds to a duration of at most `most`; kInvalidArgument if negative or longer.
StatusOr<absl::Duration> DecodeMillis(absl::string_view field, std::int64_t millis,
                                      absl::Duration most);
// Rounds up, so that something that has not ended is never told as 0.
std::int64_t EncodeMillis(absl::Duration duration);

// Each at most kMaxNameBytes long, at most `most` of them.
StatusOr<std::vector<std::string>> DecodeNames(
    absl::string_view field, const google::protobuf::RepeatedPtrField<std::string>& names,
    int most);
void EncodeNames(const std::vector<std::string>& names,
                 google::protobuf::RepeatedPtrField<std::string>& out);

// Finite, at most kMaxScalars, names of at most kMaxNameBytes.
StatusOr<std::map<std::string, double>> DecodeScalars(
    absl::string_view field, const google::protobuf::Map<std::string, double>& scalars);

// An enum's counterpart, by table; both ways.
template <typename Ours, typename Theirs>
struct EnumPair {
  Ours ours;
  Theirs theirs;
};
template <typename Ours, typename Theirs, std::size_t N>
StatusOr<Ours> DecodeEnum(absl::string_view field, Theirs value,
                          const EnumPair<Ours, Theirs> (&table)[N]) {
  for (const auto& row : table) {
    if (row.theirs == value) return row.ours;
  }
  return Invalid(field,
                 absl::StrCat(static_cast<int>(value), " is not a value that this build knows"));
}
template <typename Ours, typename Theirs, std::size_t N>
Theirs EncodeEnum(Ours value, const EnumPair<Ours, Theirs> (&table)[N]) {
  for (const auto& row : table) {
    if (row.ours == value) return row.theirs;
  }
  return Theirs{};
}

}  // namespace fed::wire

#endif  // FED_PROTO_WIRE_FIELDS_H_
