// Makes a version: files first, then one transaction.
#ifndef FED_SERVER_COORDINATE_PUBLISHER_H_
#define FED_SERVER_COORDINATE_PUBLISHER_H_

#include "fed/status.h"
#include "server/ingest/spool.h"
#include "server/round/job_spec.h"
#include "server/store/blob_folder.h"
#include "server/store/store.h"

namespace fed::server {

// Blocking; called on the fold executor. Thread-safe.
class Publisher {
 public:
  Publisher(Store& store, BlobFolder& blobs, Spool& spool, int threads)
      : store_(store), blobs_(blobs), spool_(spool), threads_(threads) {}

  struct Published {
    ModelRecord model;
    Scalars metrics;  // of the round: train_loss (weighted by examples), examples, updates, bytes_up
  };

  // Folds what the store says is the round's set and commits the version, the round's PUBLISHED and
  // every receipt's end in one transaction; then removes the spool. Bad bytes end that receipt
  // DISCARDED(corrupt) in a transaction before folding. `verify`: hash tiles again (after a restart).
  // kFailedPrecondition: can never succeed (too few good updates): the round fails with it.
  // kResourceExhausted, kUnavailable: try again later. kUnknown: end the process.
  StatusOr<Published> Publish(const JobSpec& spec, const RoundRecord& round, bool verify,
                              const Scalars& more_metrics);

 private:
  Store& store_;
  BlobFolder& blobs_;
  Spool& spool_;
  int threads_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_PUBLISHER_H_
