// Draws by the job's own random streams: the same seed draws the same cohorts.
#include "server/round/cohort.h"

#include <algorithm>
#include <cstddef>

#include "common/base/random.h"

namespace fed::server {
namespace {

constexpr int kDrawBits = 20;  // of a stream's index: draws in one round before two share numbers

// FNV-1a. Spreads ids over streams; nothing rests on it being hard to invert.
std::uint64_t HashOf(const ClientId& client) {
  std::uint64_t hash = 14'695'981'039'346'656'037u;
  for (const char c : client.value) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211u;
  }
  return hash;
}

}  // namespace

std::vector<ClientId> DrawCohort(const Draw& draw, std::vector<ClientId> waiting, int places) {
  std::sort(waiting.begin(), waiting.end());
  waiting.erase(std::unique(waiting.begin(), waiting.end()), waiting.end());
  const std::size_t wanted =
      std::min(waiting.size(), static_cast<std::size_t>(std::max(0, places)));
  const auto round = static_cast<std::uint64_t>(draw.round.value);
  RandomStream random(draw.seed, RandomPurpose::kCohort,
                      (round << kDrawBits) | static_cast<std::uint64_t>(draw.nth));
  for (std::size_t i = 0; i < wanted; ++i) {  // the first steps of Fisher and Yates
    std::swap(waiting[i], waiting[i + random.Below(waiting.size() - i)]);
  }
  waiting.resize(wanted);
  std::sort(waiting.begin(), waiting.end());
  return waiting;
}

std::uint64_t TrainingSeed(std::uint64_t seed, RoundId round, const ClientId& client) {
  const auto index = static_cast<std::uint64_t>(round.value);
  const std::uint64_t of_round = RandomStream(seed, RandomPurpose::kTrainingSeed, index).Next64();
  return RandomStream(of_round, RandomPurpose::kTrainingSeed, HashOf(client)).Next64();
}

}  // namespace fed::server
