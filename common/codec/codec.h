// A codec turns the values of one tile into bytes and back.
//
// An encoded update is a header, a table (length and SHA-256 of each tile) and the tiles, each
// encoded on its own (common/codec/FORMAT.md). So sizes are bounded before memory is taken, a
// transfer resumes at any offset, any tile of any update can be read alone, and tiles are folded in
// parallel. What is done to the values first (clipping, top-k with error feedback, masking) is a
// transform of the device, not a codec: top-k is the "sparse" codec after a transform.
#ifndef FED_COMMON_CODEC_CODEC_H_
#define FED_COMMON_CODEC_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/limits.h"
#include "common/base/random.h"
#include "fed/status.h"

namespace fed {

// Stateless and thread-safe; one instance serves the whole process.
//
// A name is for ever: whoever changes the byte layout takes a new name ("int8" -> "int8.2"),
// so an old edge device and a new server never misread one another.
class Codec {
 public:
  virtual ~Codec() = default;

  // As it stands on the wire: "fp32", "int8", "sparse"; with zstd over it a name of its own,
  // "int8+zstd".
  virtual absl::string_view name() const = 0;

  // Whether the mean of Decode(Encode(x)) over the random stream is x. False is explained in the
  // codec's header.
  virtual bool unbiased() const = 0;

  // Largest encoding of a tile of `values` floats, in bytes: what a receiver must be ready to hold.
  virtual std::size_t MaxTileBytes(std::size_t values) const = 0;

  // Appends one tile to `out`. `random` feeds stochastic rounding: equal streams, equal bytes.
  // kInvalidArgument on NaN or infinity; `out` is then unchanged.
  virtual Status EncodeTile(absl::Span<const float> tile, RandomStream& random,
                            std::vector<std::uint8_t>& out) const = 0;

  // Fills all of `out` from one tile's bytes. kDataLoss if they are not what EncodeTile could have
  // made for out.size() values, or hold a value that is not finite; `out` is then unspecified.
  // Never reads past the end, nor allocates by a size that the bytes claim.
  virtual Status DecodeTile(absl::Span<const std::uint8_t> bytes, absl::Span<float> out) const = 0;
};

// The codec of that name, or kNotFound. Built-ins only; the result lives as long as the process.
StatusOr<const Codec*> FindCodec(absl::string_view name);

}  // namespace fed

#endif  // FED_COMMON_CODEC_CODEC_H_
