// Receipts and their scalars in SQLite.
#ifndef FED_SERVER_STORE_RECEIPT_ROWS_H_
#define FED_SERVER_STORE_RECEIPT_ROWS_H_

#include <string>
#include <vector>

#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class ReceiptRows {
 public:
  explicit ReceiptRows(Database& db) : db_(db) {}
  StatusOr<Receipt> Find(const JobId& job, AssignmentId assignment) const;
  StatusOr<std::vector<Receipt>> OfRound(const JobId& job, RoundId joins) const;
  StatusOr<std::vector<Receipt>> Open() const;
  StatusOr<bool> HasOpen(const JobId& job, const ClientId& client) const;
  Status Add(const Receipt& receipt);

  struct Ending {
    ReceiptEnd end;
    ModelVersion counted_in;  // kept if counted
    std::string reason;       // kept if discarded
  };
  // Of the one, or of every one of a round, that is open.
  Status End(const JobId& job, AssignmentId assignment, const Ending& ending);
  Status EndAll(const JobId& job, RoundId joins, const Ending& ending);

 private:
  StatusOr<Scalars> ScalarsOf(const Receipt& receipt) const;
  Status AddScalars(std::vector<Receipt>& receipts) const;

  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_RECEIPT_ROWS_H_
