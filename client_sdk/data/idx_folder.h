// A folder that holds an image data set in the names that MNIST's authors gave their files.
#ifndef FED_CLIENT_SDK_DATA_IDX_FOLDER_H_
#define FED_CLIENT_SDK_DATA_IDX_FOLDER_H_

#include <memory>
#include <string>

#include "fed/dataset.h"
#include "fed/status.h"

namespace fed {

enum class IdxSplit { kTrain, kTest };

// "<folder>/train-images-idx3-ubyte" and its labels, or "t10k-..."; each plain or with ".gz".
// kNotFound names the files looked for.
StatusOr<std::unique_ptr<Dataset>> LoadIdxFolder(const std::string& folder, IdxSplit split);

}  // namespace fed

#endif  // FED_CLIENT_SDK_DATA_IDX_FOLDER_H_
