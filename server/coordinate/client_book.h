// What devices say of themselves, written down in batches: a poll costs no transaction.
#ifndef FED_SERVER_COORDINATE_CLIENT_BOOK_H_
#define FED_SERVER_COORDINATE_CLIENT_BOOK_H_

#include <map>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "server/coordinate/context.h"
#include "server/store/records.h"

namespace fed::server {

// A device adds labels; it does not change those that it was given at enrollment or said before.
Labels MergedLabels(const Labels& row, const Labels& said);

// Thread-safe. Shared with its timer, which may fire after the coordinator has gone.
class ClientBook : public std::enable_shared_from_this<ClientBook> {
 public:
  static constexpr absl::Duration kFlushEvery = absl::Seconds(2);

  explicit ClientBook(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  // A device without a row gets one; else its metadata and last_seen change. Written within
  // kFlushEvery.
  void Seen(const Device& device);

  // Now; blocks for a transaction.
  void Flush();

 private:
  struct Sighting {
    Device device;
    absl::Time first, last;  // wall time
  };

  const std::shared_ptr<Context> context_;
  Mutex mu_;
  std::map<ClientId, Sighting> seen_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_CLIENT_BOOK_H_
