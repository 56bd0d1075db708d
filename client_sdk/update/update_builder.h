// Turns what a trainer returned into an update: checks it, takes the delta, encodes tile by tile.
#ifndef FED_CLIENT_SDK_UPDATE_UPDATE_BUILDER_H_
#define FED_CLIENT_SDK_UPDATE_UPDATE_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/tensor/flat_layout.h"
#include "fed/parameters.h"
#include "fed/status.h"
#include "fed/trainer.h"

namespace fed::client {

// What the assignment says of its update.
struct UpdateSpec {
  JobId job;
  AssignmentId assignment;
  ModelVersion base;
  std::string codec;
  std::vector<std::string> groups;   // "delta" and the trainer's further ones; sorted
  std::vector<std::string> scalars;  // taken; others are dropped with one log line
  RolePatterns patterns;
  std::uint64_t seed = 0;  // of codecs that round stochastically
};

// An update as it lies in a file: header | tile table | tiles.
struct EncodedUpdate {
  Digest digest;
  std::int64_t header_bytes = 0;
  std::int64_t table_bytes = 0;
  std::int64_t total_bytes = 0;
};

// Fills `out` from its beginning: group "delta" is trained minus base of the trainable tensors, any
// other group is the trainer's of that name. One tile is in memory at a time. Equal arguments,
// equal bytes. kInvalidArgument, beginning with "trainer returned", if names, shapes or values do
// not fit; kNotFound: no such codec; else what the file says, and its contents are then
// unspecified.
StatusOr<EncodedUpdate> WriteUpdate(const UpdateSpec& spec, const Parameters& base,
                                    const TrainResult& trained, File& out, const Log& log);

// Of a file that holds an update: reads it to its end. kDataLoss if its sizes or any tile's digest
// do not agree, as after a power cut of an unsynced file.
StatusOr<EncodedUpdate> CheckUpdate(const File& file);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_UPDATE_UPDATE_BUILDER_H_
