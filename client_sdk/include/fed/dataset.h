// The device's own examples; they never leave it.
#ifndef FED_DATASET_H_
#define FED_DATASET_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fed/status.h"

namespace fed {

// Examples of one shape with their targets. Reads are thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;                        // examples
  virtual std::vector<std::int64_t> example_shape() const = 0;  // of one: {28, 28}, {100}
  virtual std::int64_t target_values() const = 0;  // 1: a class label or a scalar; else a vector

  // Writes examples indices[k], row-major, into features (indices.size() x elements) and their
  // targets into targets (indices.size() x target_values()). A class label is its number.
  // REQUIRES: every index is in [0, size()).
  virtual void Gather(std::span<const std::int64_t> indices, std::span<float> features,
                      std::span<float> targets) const = 0;
};

// Over buffers that the caller owns and that outlive it. kInvalidArgument: sizes do not fit.
StatusOr<std::unique_ptr<Dataset>> NewMemoryDataset(std::span<const float> features,
                                                    std::vector<std::int64_t> example_shape,
                                                    std::span<const float> targets,
                                                    std::int64_t target_values = 1);

// Images and labels in IDX files (LeCun's MNIST format), plain or gzip; bytes are scaled to [0, 1].
// Held as bytes: a quarter of the memory of floats.
StatusOr<std::unique_ptr<Dataset>> LoadIdxDataset(const std::string& images_path,
                                                  const std::string& labels_path);

struct CsvOptions {
  bool header = true;  // the first line names the columns
  char separator = ',';
  std::vector<std::string>
      targets;  // columns by name (or number from 0, without a header); last if empty
};
// Numbers only; kInvalidArgument names file, line and column otherwise.
StatusOr<std::unique_ptr<Dataset>> LoadCsvDataset(const std::string& path,
                                                  const CsvOptions& options = {});

// Some examples of another dataset, which outlives it: a shard.
StatusOr<std::unique_ptr<Dataset>> NewSubset(const Dataset& whole,
                                             std::vector<std::int64_t> indices);

}  // namespace fed

#endif  // FED_DATASET_H_
