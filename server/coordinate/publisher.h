// Makes a version: files first, then one transaction.
#ifndef FED_SERVER_COORDINATE_PUBLISHER_H_
#define FED_SERVER_COORDINATE_PUBLISHER_H_

#include <memory>
#include <vector>

#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/job_terms.h"
#include "server/ingest/spool_source.h"
#include "server/store/records.h"

namespace fed::server {

// Blocking; called on the fold executor. Thread-safe. `context` outlives it.
class Publisher {
 public:
  explicit Publisher(Context& context) : context_(context) {}

  struct Published {
    ModelRecord model;
    Scalars metrics;  // of the round: seconds, train_loss (weighted as the updates are), examples,
                      // updates, bytes_up, and `more_metrics`
    std::vector<Receipt> receipts;  // that count
  };

  // Folds what the store says is the round's set and commits the version, the round's PUBLISHED,
  // every receipt's end and the job's failed_in_a_row = 0 in one transaction; then removes the
  // spool. Bad bytes end that receipt DISCARDED(corrupt) in a transaction before folding.
  // `verify`: hash tiles again (after a restart).
  // kFailedPrecondition: can never succeed (too few good updates): the round fails with it.
  // kResourceExhausted, kUnavailable: try again later. kUnknown: the process is ending.
  StatusOr<Published> Publish(const JobTerms& terms, const RoundRecord& round, bool verify,
                              const Scalars& more_metrics);

 private:
  StatusOr<Published> PublishOnce(const JobTerms& terms, const RoundRecord& round, bool verify,
                                  const Scalars& more_metrics);
  StatusOr<std::unique_ptr<SpoolReader>> OpenSet(const RoundRecord& round, bool verify);
  StatusOr<ModelFile> MakeFile(const JobTerms& terms, const GroupSpec& group,
                               const ModelRecord& base, const SpoolReader& reader);
  Status Commit(const RoundRecord& round, const Published& published);

  Context& context_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_PUBLISHER_H_
