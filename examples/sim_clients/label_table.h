// Shows how the labels fell on the clients.
#ifndef FED_EXAMPLES_SIM_CLIENTS_LABEL_TABLE_H_
#define FED_EXAMPLES_SIM_CLIENTS_LABEL_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace fed::examples {

// A row a client with its count of each label, for the first `most_rows` of them, and how many more
// there are; then the smallest and the largest client. REQUIRES: at least one client.
std::string LabelTable(absl::Span<const std::int64_t> labels,
                       const std::vector<std::vector<std::int64_t>>& parts, std::size_t most_rows);

}  // namespace fed::examples

#endif  // FED_EXAMPLES_SIM_CLIENTS_LABEL_TABLE_H_
