// The splits.
#include "examples/sim_clients/partition.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/random.h"

namespace fed::examples {
namespace {

using Parts = std::vector<std::vector<std::int64_t>>;
using Labels = absl::Span<const std::int64_t>;

constexpr double kLargestAlpha = 1e6;  // shares are equal long before

RandomStream StreamOf(const PartitionSpec& spec) {
  return RandomStream(spec.seed, RandomPurpose::kPartition, 0);
}

std::vector<std::int64_t> InOrder(Labels labels) {
  std::vector<std::int64_t> all(labels.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::vector<std::int64_t> Shuffled(Labels labels, const PartitionSpec& spec) {
  std::vector<std::int64_t> all = InOrder(labels);
  RandomStream random = StreamOf(spec);
  random.Shuffle(all);
  return all;
}

std::map<std::int64_t, std::vector<std::int64_t>> ByLabel(Labels labels,
                                                          const std::vector<std::int64_t>& order) {
  std::map<std::int64_t, std::vector<std::int64_t>> groups;
  for (const std::int64_t example : order) {
    groups[labels[static_cast<std::size_t>(example)]].push_back(example);
  }
  return groups;
}

// `pieces` runs whose lengths differ by at most one.
Parts CutEvenly(const std::vector<std::int64_t>& order, std::size_t pieces) {
  Parts parts(pieces);
  const std::size_t size = order.size() / pieces, longer = order.size() % pieces;
  auto at = order.begin();
  for (std::size_t p = 0; p < pieces; ++p) {
    const auto end = at + static_cast<std::ptrdiff_t>(size + (p < longer ? 1 : 0));
    parts[p].assign(at, end);
    at = end;
  }
  return parts;
}

// Shares of a whole, drawn from Dirichlet(alpha). Where alpha is so small that every share rounds
// to zero, one takes all.
std::vector<double> DrawShares(RandomStream& random, double alpha, int count) {
  std::vector<double> shares(static_cast<std::size_t>(count));
  for (double& share : shares) share = random.Gamma(alpha);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum > 0) {
    for (double& share : shares) share /= sum;
  } else {
    shares[random.Below(shares.size())] = 1;
  }
  return shares;
}

// Deals `examples` by shares: client c gets those between the rounded sums of shares before it and
// with it, so that each is dealt once.
void Deal(const std::vector<std::int64_t>& examples, const std::vector<double>& shares,
          Parts& parts) {
  double sum = 0;
  std::size_t at = 0;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    sum += shares[c];
    const bool last = c + 1 == shares.size();
    const auto end =
        last ? examples.size()
             : std::min(examples.size(),
                        static_cast<std::size_t>(sum * static_cast<double>(examples.size())));
    for (; at < end; ++at) parts[c].push_back(examples[at]);
  }
}

Parts Iid(Labels labels, const PartitionSpec& spec) {
  return CutEvenly(Shuffled(labels, spec), static_cast<std::size_t>(spec.clients));
}

Parts Sequential(Labels labels, const PartitionSpec& spec) {
  return CutEvenly(InOrder(labels), static_cast<std::size_t>(spec.clients));
}

Parts Stratified(Labels labels, const PartitionSpec& spec) {
  Parts parts(static_cast<std::size_t>(spec.clients));
  std::size_t next = 0;  // goes on from label to label, so that sizes stay even
  for (const auto& [label, examples] : ByLabel(labels, Shuffled(labels, spec))) {
    for (const std::int64_t example : examples) parts[next++ % parts.size()].push_back(example);
  }
  return parts;
}

Parts Shards(Labels labels, const PartitionSpec& spec) {
  std::vector<std::int64_t> sorted;
  for (const auto& [label, examples] : ByLabel(labels, InOrder(labels))) {
    sorted.insert(sorted.end(), examples.begin(), examples.end());
  }
  const auto clients = static_cast<std::size_t>(spec.clients);
  Parts shards = CutEvenly(sorted, clients * static_cast<std::size_t>(spec.labels_per_client));
  RandomStream random = StreamOf(spec);
  random.Shuffle(shards);
  Parts parts(clients);
  for (std::size_t s = 0; s < shards.size(); ++s) {
    std::vector<std::int64_t>& part = parts[s % clients];
    part.insert(part.end(), shards[s].begin(), shards[s].end());
  }
  return parts;
}

Parts Dirichlet(Labels labels, const PartitionSpec& spec) {
  Parts parts(static_cast<std::size_t>(spec.clients));
  RandomStream random(spec.seed, RandomPurpose::kPartition, 1);
  for (const auto& [label, examples] : ByLabel(labels, Shuffled(labels, spec))) {
    Deal(examples, DrawShares(random, spec.alpha, spec.clients), parts);
  }
  return parts;
}

Parts Quantity(Labels labels, const PartitionSpec& spec) {
  Parts parts(static_cast<std::size_t>(spec.clients));
  RandomStream random(spec.seed, RandomPurpose::kPartition, 1);
  Deal(Shuffled(labels, spec), DrawShares(random, spec.alpha, spec.clients), parts);
  return parts;
}

struct Kind {
  absl::string_view name;
  Parts (*split)(Labels, const PartitionSpec&);
};
constexpr Kind kKinds[] = {
    {"iid", Iid},       {"sequential", Sequential}, {"stratified", Stratified},
    {"shards", Shards}, {"dirichlet", Dirichlet},   {"quantity", Quantity}};

// A client that got nothing takes one example from the largest.
void FillEmpty(Parts& parts) {
  for (std::vector<std::int64_t>& part : parts) {
    if (!part.empty()) continue;
    auto& largest = *std::max_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
      return a.size() < b.size();
    });
    part.push_back(largest.back());
    largest.pop_back();
  }
}

Status Check(Labels labels, const PartitionSpec& spec) {
  const auto invalid = [](std::string message) {
    return Status(StatusCode::kInvalidArgument, std::move(message));
  };
  if (spec.clients < 1) return invalid("a partition needs at least one client");
  if (!(spec.alpha > 0 && spec.alpha <= kLargestAlpha)) {
    return invalid(absl::StrCat("alpha must be above 0 and at most ", kLargestAlpha));
  }
  if (spec.labels_per_client < 1) return invalid("labels per client must be at least 1");
  const auto pieces = static_cast<std::size_t>(spec.clients) *
                      static_cast<std::size_t>(spec.kind == "shards" ? spec.labels_per_client : 1);
  if (pieces > labels.size()) {
    return invalid(absl::StrCat(labels.size(), " examples can't be split into ", pieces, " parts"));
  }
  return Status();
}

}  // namespace

StatusOr<Parts> Partition(Labels labels, const PartitionSpec& spec) {
  FED_RETURN_IF_ERROR(Check(labels, spec));
  const Kind* const kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const Kind& known) { return known.name == spec.kind; });
  if (kind == std::end(kKinds)) {
    const auto name = [](std::string* out, const Kind& known) { absl::StrAppend(out, known.name); };
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("unknown partition '", spec.kind, "'; known are ",
                               absl::StrJoin(kKinds, ", ", name)));
  }
  Parts parts = kind->split(labels, spec);
  FillEmpty(parts);
  return parts;
}

std::vector<std::int64_t> EvenOut(Labels labels, std::vector<std::int64_t> examples,
                                  std::uint64_t seed, std::uint64_t client) {
  const auto groups = ByLabel(labels, examples);
  std::size_t most = 0;
  for (const auto& [label, group] : groups) most = std::max(most, group.size());
  RandomStream random(seed, RandomPurpose::kPartition, 2 + client);
  for (const auto& [label, group] : groups) {
    for (std::size_t n = group.size(); n < most; ++n) {
      examples.push_back(group[random.Below(group.size())]);
    }
  }
  return examples;
}

}  // namespace fed::examples
