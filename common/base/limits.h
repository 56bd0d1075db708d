// Limits by name. Each stands in the README's table; part of the wire format where it says so.
#ifndef FED_COMMON_BASE_LIMITS_H_
#define FED_COMMON_BASE_LIMITS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace fed {

inline constexpr std::int64_t kTileValues = 8'192;    // wire: values in a tile of an update
inline constexpr std::int64_t kChunkBytes = 1 << 20;  // wire: bytes in a chunk of a version's file
inline constexpr std::int64_t kHashBlockBytes = 32 << 10;        // wire: bytes hashed in one piece
inline constexpr std::int64_t kMaxUpdateHeaderBytes = 64 << 10;  // wire
inline constexpr std::int64_t kMaxSafetensorsHeaderBytes =
    100'000'000;                                          // as safetensors itself has it
inline constexpr std::int64_t kMinPieceBytes = 16 << 10;  // of a transfer's stream message
inline constexpr std::int64_t kMaxPieceBytes = 2 << 20;
inline constexpr std::int64_t kDefaultPieceBytes = 1 << 20;
inline constexpr std::int64_t kMaxMessageBytes = 4 << 20;  // of any gRPC message
inline constexpr int kMaxTensors = 100'000;
inline constexpr int kMaxRank = 8;
inline constexpr int kMaxNameBytes = 512;  // of a tensor, group, scalar, label
inline constexpr int kMaxScalars = 256;    // of an update or an evaluation
inline constexpr int kMaxGroups = 16;
inline constexpr int kMaxLabels = 32;        // of a client
inline constexpr int kMaxUnsettled = 1'024;  // receipts asked for in one check-in
inline constexpr int kMaxJobNameBytes = 63;  // [a-z0-9-]
constexpr absl::Duration kMaxPollHold = absl::Seconds(60);

}  // namespace fed

#endif  // FED_COMMON_BASE_LIMITS_H_
