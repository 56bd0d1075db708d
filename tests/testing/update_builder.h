// Encoded updates for tests: good ones by default, and whatever a hostile device might send.
#ifndef FED_TESTS_TESTING_UPDATE_BUILDER_H_
#define FED_TESTS_TESTING_UPDATE_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/codec/update_format.h"
#include "common/crypto/digest.h"

namespace fed::testing {

// What an update says, before it is encoded. Values are encoded as fp32 (whatever `codec` names),
// without a check: NaN is possible.
struct UpdateContents {
  JobId job{"job-a"};
  AssignmentId assignment{1};
  ModelVersion base{0};
  Digest layout;
  std::string codec = "fp32";
  std::map<std::string, std::vector<float>> groups = {{"delta", {1, 2, 3}}};
  std::map<std::string, double> scalars = {{"examples", 10}};
};

struct EncodedUpdate {
  std::string bytes;  // header | tile table | tiles
  Digest digest;      // of header and table
  std::int64_t header_bytes = 0;
  std::int64_t table_bytes = 0;
  std::vector<std::int64_t> tile_ends;  // in bytes

  std::int64_t total_bytes() const { return static_cast<std::int64_t>(bytes.size()); }
};

// Ends the process if the header can not be encoded.
EncodedUpdate MakeUpdate(const UpdateContents& contents);

// The same from parts, whether they belong together or not: the digest is right.
EncodedUpdate JoinUpdate(const std::vector<std::uint8_t>& header,
                         const std::vector<TileEntry>& table,
                         const std::vector<std::vector<std::uint8_t>>& tiles);

// `count` values in [-0.5, 0.5] that depend on the seed.
std::vector<float> SomeValues(std::int64_t count, std::uint64_t seed);

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_UPDATE_BUILDER_H_
