// How a data set falls on simulated clients. Pure: equal seed, equal parts.
#ifndef FED_EXAMPLES_SIM_CLIENTS_PARTITION_H_
#define FED_EXAMPLES_SIM_CLIENTS_PARTITION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "fed/status.h"

namespace fed::examples {

struct PartitionSpec {
  // iid         shuffled, cut evenly
  // sequential  in the order of the file, cut evenly
  // stratified  every client has every label in the same proportion
  // shards      sorted by label, cut into clients x labels_per_client shards, dealt at random: the
  //             non-IID split of McMahan et al. 2017
  // dirichlet   of each label a share drawn from Dirichlet(alpha) (Hsu et al. 2019): the smaller
  //             alpha, the more skewed
  // quantity    labels as in iid, sizes drawn from Dirichlet(alpha)
  std::string kind = "iid";
  int clients = 1;
  int labels_per_client = 2;  // of shards
  double alpha = 0.5;         // of dirichlet and quantity; > 0, at most 1e6
  std::uint64_t seed = 0;
};

// The examples of each client, as indices into `labels`. Every example falls on exactly one client,
// and every client has at least one. Even cuts, and shards, differ in size by at most one example.
// kInvalidArgument: an unknown kind, more clients (or shards) than examples, no such alpha.
StatusOr<std::vector<std::vector<std::int64_t>>> Partition(absl::Span<const std::int64_t> labels,
                                                           const PartitionSpec& spec);

// One client's examples with those of its rarer labels repeated at random until each of its labels
// is as frequent as its most frequent one.
std::vector<std::int64_t> EvenOut(absl::Span<const std::int64_t> labels,
                                  std::vector<std::int64_t> examples, std::uint64_t seed,
                                  std::uint64_t client);

}  // namespace fed::examples

#endif  // FED_EXAMPLES_SIM_CLIENTS_PARTITION_H_
