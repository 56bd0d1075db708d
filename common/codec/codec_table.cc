// All codecs by name. To add one: its file, and one line here.
#include <array>

#include "absl/strings/str_cat.h"
#include "common/codec/codec.h"
#include "common/codec/fp32.h"

namespace fed {

StatusOr<const Codec*> FindCodec(absl::string_view name) {
  static const Fp32Codec fp32;
  static const std::array<const Codec*, 1> kTable = {&fp32};

  for (const Codec* codec : kTable) {
    if (codec->name() == name) return codec;
  }
  std::string known;
  for (const Codec* codec : kTable) absl::StrAppend(&known, " ", codec->name());
  return Status(StatusCode::kNotFound,
                absl::StrCat("this build has no codec \"", name, "\"; it has:", known));
}

}  // namespace fed
