// A handler of nlohmann's event parser: no tree is built, so memory is what the result takes.
#include "common/tensor/json_header.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"

namespace fed {
namespace {

using Json = nlohmann::json;

constexpr absl::string_view kMetadata = "__metadata__";

Status Malformed(absl::string_view what) {
  return Status(StatusCode::kDataLoss, absl::StrCat("safetensors header: ", what));
}

// Where the parser is:
//
//   kBefore -{-> kTop -name, {-> kTensor -"shape", [-> kShape -]-> kTensor
//                 |                 |-"data_offsets", [-> kOffsets -]-> kTensor
//                 |                 '-}-> kTop
//                 |-"__metadata__", {-> kInMetadata -}-> kTop
//                 '-}-> kAfter
enum class Place { kBefore, kTop, kTensor, kShape, kOffsets, kInMetadata, kAfter };

// Names and signatures are nlohmann's. Each returns false, with status_ set, to stop the parser.
class HeaderEvents {
 public:
  bool start_object(std::size_t) {
    if (place_ == Place::kBefore) return Go(Place::kTop);
    if (place_ != Place::kTop) return Unexpected("an object");
    if (key_ == kMetadata) return Go(Place::kInMetadata);
    if (header_.tensors.size() == static_cast<std::size_t>(kMaxTensors)) {
      status_ = Status(StatusCode::kResourceExhausted,
                       absl::StrCat("safetensors header: more than ", kMaxTensors, " tensors"));
      return false;
    }
    header_.tensors.emplace_back().info.name = key_;
    fields_.clear();
    return Go(Place::kTensor);
  }

  bool key(std::string& key) {
    if (place_ == Place::kTop && !names_.insert(key).second) return Twice(key);
    if (place_ == Place::kInMetadata && header_.metadata.contains(key)) return Twice(key);
    if (place_ == Place::kTensor && !fields_.insert(key).second) return Twice(key);
    key_ = std::move(key);
    return true;
  }

  bool end_object() {
    if (place_ == Place::kTop) return Go(Place::kAfter);
    if (place_ == Place::kTensor) {
      // Unknown fields are refused where their values stand, so three are these three.
      if (fields_.size() != 3) {
        return Stop(absl::StrCat("tensor ", Printable(Tensor().info.name),
                                 " lacks dtype, shape or data_offsets"));
      }
    }
    return Go(Place::kTop);
  }

  bool string(std::string& value) {
    if (place_ == Place::kInMetadata) {
      header_.metadata.emplace(key_, std::move(value));
      return true;
    }
    if (place_ != Place::kTensor || key_ != "dtype") return Unexpected("a string");
    StatusOr<Dtype> dtype = DtypeFromName(value);
    if (!dtype.ok()) {
      status_ = Status(StatusCode::kUnimplemented,
                       absl::StrCat("tensor ", Printable(Tensor().info.name), ": ",
                                    Printable(dtype.status().message())));
      return false;
    }
    Tensor().info.dtype = *dtype;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ == Place::kTensor && key_ == "shape") return Go(Place::kShape);
    if (place_ == Place::kTensor && key_ == "data_offsets") {
      offsets_ = 0;
      return Go(Place::kOffsets);
    }
    return Unexpected("an array");
  }

  bool end_array() {
    if (place_ == Place::kOffsets && offsets_ != 2) return WrongOffsets();
    return Go(Place::kTensor);
  }

  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return Unexpected("a number above 2^63 - 1");
    }
    const auto number = static_cast<std::int64_t>(value);
    if (place_ == Place::kShape) {
      if (Tensor().info.shape.size() == static_cast<std::size_t>(kMaxRank)) {
        status_ = Status(StatusCode::kResourceExhausted,
                         absl::StrCat("tensor ", Printable(Tensor().info.name), " has more than ",
                                      kMaxRank, " dimensions"));
        return false;
      }
      Tensor().info.shape.push_back(number);
      return true;
    }
    if (place_ != Place::kOffsets) return Unexpected("a number");
    if (offsets_ == 2) return WrongOffsets();
    (offsets_++ == 0 ? Tensor().begin : Tensor().end) = number;
    return true;
  }

  bool number_integer(std::int64_t) { return Unexpected("a negative number"); }
  bool number_float(double, const std::string&) { return Unexpected("a number with a fraction"); }
  bool null() { return Unexpected("null"); }
  bool boolean(bool) { return Unexpected("true or false"); }
  bool binary(Json::binary_t&) { return Unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    return Stop(absl::StrCat("not valid JSON at byte ", position));
  }

  const Status& status() const { return status_; }
  JsonHeader TakeHeader() { return std::move(header_); }

 private:
  static std::string Printable(absl::string_view text) {
    return absl::Utf8SafeCEscape(text.substr(0, kMaxNameBytes));
  }

  JsonTensor& Tensor() { return header_.tensors.back(); }

  bool Go(Place place) {
    place_ = place;
    return true;
  }
  bool Stop(absl::string_view what) {
    status_ = Malformed(what);
    return false;
  }
  bool Unexpected(absl::string_view what) {
    if (place_ == Place::kBefore) return Stop(absl::StrCat(what, " instead of an object"));
    return Stop(absl::StrCat(what, " at \"", Printable(key_), "\" is not part of the format"));
  }
  bool Twice(absl::string_view key) {
    return Stop(absl::StrCat("\"", Printable(key), "\" stands there twice"));
  }
  bool WrongOffsets() {
    return Stop(absl::StrCat("data_offsets of tensor ", Printable(Tensor().info.name),
                             " are not two numbers"));
  }

  Place place_ = Place::kBefore;
  std::string key_;                         // the last one read
  std::unordered_set<std::string> names_;   // of tensors, and "__metadata__"
  std::unordered_set<std::string> fields_;  // of the present tensor
  int offsets_ = 0;                         // of the present tensor, read so far
  Status status_;
  JsonHeader header_;
};

// nlohmann throws on text that is not UTF-8.
StatusOr<std::string> Quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("\"", absl::CHexEscape(text), "\" is not UTF-8"));
  }
}

}  // namespace

StatusOr<JsonHeader> ParseJsonHeader(absl::string_view text) {
  if (text.empty() || text.front() != '{') return Malformed("it does not begin with '{'");
  // nlohmann takes a zero byte for the end of the text; in JSON there can be none.
  if (const std::size_t zero = text.find('\0'); zero != absl::string_view::npos) {
    return Malformed(absl::StrCat("not valid JSON at byte ", zero + 1));
  }
  HeaderEvents events;
  if (!Json::sax_parse(text.begin(), text.end(), &events)) return events.status();
  return events.TakeHeader();
}

StatusOr<std::string> WriteJsonHeader(absl::Span<const JsonTensor> tensors,
                                      const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> members;
  if (!metadata.empty()) {
    std::vector<std::string> entries;
    for (const auto& [key, value] : metadata) {
      FED_ASSIGN_OR_RETURN(const std::string quoted_key, Quoted(key));
      FED_ASSIGN_OR_RETURN(const std::string quoted_value, Quoted(value));
      entries.push_back(absl::StrCat(quoted_key, ":", quoted_value));
    }
    members.push_back(absl::StrCat("\"", kMetadata, "\":{", absl::StrJoin(entries, ","), "}"));
  }
  for (const JsonTensor& tensor : tensors) {
    FED_ASSIGN_OR_RETURN(const std::string name, Quoted(tensor.info.name));
    const std::string_view dtype = DtypeName(tensor.info.dtype);
    members.push_back(absl::StrCat(name, ":{\"dtype\":\"",
                                   absl::string_view(dtype.data(), dtype.size()), "\",\"shape\":[",
                                   absl::StrJoin(tensor.info.shape, ","), "],\"data_offsets\":[",
                                   tensor.begin, ",", tensor.end, "]}"));
  }
  return absl::StrCat("{", absl::StrJoin(members, ","), "}");
}

}  // namespace fed
