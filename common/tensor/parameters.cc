// Tensors by name, and the table of element types.
#include "fed/parameters.h"

#include <array>
#include <new>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/tensor/tensor_check.h"

namespace fed {
namespace {

struct DtypeTraits {
  std::string_view name;
  std::size_t bytes;
};

// In the order of Dtype.
constexpr std::array<DtypeTraits, 13> kDtypes = {{{"F32", 4},
                                                  {"F16", 2},
                                                  {"BF16", 2},
                                                  {"F64", 8},
                                                  {"I64", 8},
                                                  {"I32", 4},
                                                  {"I16", 2},
                                                  {"I8", 1},
                                                  {"U64", 8},
                                                  {"U32", 4},
                                                  {"U16", 2},
                                                  {"U8", 1},
                                                  {"BOOL", 1}}};

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view DtypeName(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].name; }

std::size_t DtypeBytes(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].bytes; }

StatusOr<Dtype> DtypeFromName(std::string_view name) {
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].name == name) return static_cast<Dtype>(i);
  }
  const auto append_name = [](std::string* out, const DtypeTraits& traits) {
    out->append(traits.name);
  };
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("dtype ", ToAbsl(name), " is not one of ",
                             absl::StrJoin(kDtypes, ", ", append_name)));
}

bool IsTrainableDtype(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16;
}

std::int64_t TensorInfo::elements() const {
  std::uint64_t product = 1;  // unsigned: an unchecked shape wraps around, which is defined
  for (const std::int64_t dimension : shape) product *= static_cast<std::uint64_t>(dimension);
  return static_cast<std::int64_t>(product);
}

std::string ToString(const TensorInfo& info) {
  return absl::StrCat(info.name, " ", ToAbsl(DtypeName(info.dtype)), " [",
                      absl::StrJoin(info.shape, ", "), "]");
}

Parameters Parameters::Clone() const {
  Parameters copy;
  copy.entries_ = entries_;
  return copy;
}

Status Parameters::Add(TensorInfo info) {
  FED_ASSIGN_OR_RETURN(const std::int64_t bytes, CheckTensor(info));
  if (Find(info.name)) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("tensor ", info.name, " is there already"));
  }
  Entry entry;
  try {
    if (IsTrainableDtype(info.dtype)) {
      entry.values.resize(static_cast<std::size_t>(info.elements()));
    } else {
      entry.bytes.resize(static_cast<std::size_t>(bytes));
    }
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("no memory for tensor ", ToString(info)));
  } catch (const std::length_error&) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("no memory for tensor ", ToString(info)));
  }
  entry.info = std::move(info);
  entries_.push_back(std::move(entry));
  return {};
}

std::optional<std::size_t> Parameters::Find(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].info.name == name) return i;
  }
  return std::nullopt;
}

}  // namespace fed
