// Writes the files that the data tests read, and reads data sets back.
#ifndef FED_TESTS_UNIT_CLIENT_SDK_DATA_DATASET_FILES_H_
#define FED_TESTS_UNIT_CLIENT_SDK_DATA_DATASET_FILES_H_

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "fed/dataset.h"

namespace fed::client {

inline void WritePlain(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  ASSERT_TRUE(file.good());
}

inline void WriteGzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
            static_cast<int>(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

// An IDX file of unsigned bytes (type 8) or of something else.
inline std::string Idx(const std::vector<std::uint32_t>& sizes, const std::string& values,
                       char type = 8) {
  std::string bytes = {0, 0, type, static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(size >> shift));
  }
  return bytes + values;
}

struct Gathered {
  std::vector<float> features, targets;
};

inline Gathered Gather(const Dataset& data, const std::vector<std::int64_t>& indices) {
  std::size_t each = 1;
  for (const std::int64_t d : data.example_shape()) each *= static_cast<std::size_t>(d);
  Gathered out;
  out.features.resize(indices.size() * each);
  out.targets.resize(indices.size() * static_cast<std::size_t>(data.target_values()));
  data.Gather(indices, out.features, out.targets);
  return out;
}

inline Gathered GatherAll(const Dataset& data) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(data.size()));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return Gather(data, indices);
}

}  // namespace fed::client

#endif  // FED_TESTS_UNIT_CLIENT_SDK_DATA_DATASET_FILES_H_
