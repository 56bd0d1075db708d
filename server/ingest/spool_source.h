// The accepted updates of one round as the fold reads them: tiles out of the spool.
#ifndef FED_SERVER_INGEST_SPOOL_SOURCE_H_
#define FED_SERVER_INGEST_SPOOL_SOURCE_H_

#include <memory>
#include <string>
#include <vector>

#include "fed/status.h"
#include "server/aggregate/tile_source.h"
#include "server/ingest/spool.h"
#include "server/store/records.h"

namespace fed::server {

// Spool files of one round, opened once and shared by its groups' sources. Rows in canonical order
// (client id, then assignment id).
class SpoolReader {
 public:
  // Reads and checks header and tile table of each. A bad one does not fail the others: it is in
  // bad(), with its reason, and not a row. `verify`: hashes every tile, too (after a restart).
  static StatusOr<std::unique_ptr<SpoolReader>> Open(const Spool& spool,
                                                     std::vector<Receipt> receipts, bool verify);
  virtual ~SpoolReader() = default;

  struct Bad {
    AssignmentId assignment;
    std::string reason;
  };
  virtual const std::vector<Bad>& bad() const = 0;
  virtual const std::vector<Receipt>& receipts() const = 0;  // the good ones, in row order
  // kInvalidArgument: the updates have no such group. The reader outlives it.
  virtual StatusOr<std::unique_ptr<TileSource>> Group(const std::string& name) const = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_SPOOL_SOURCE_H_
