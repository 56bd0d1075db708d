// A Store in memory, for tests of everything above it. It passes the conformance suite of SQLite's.
#ifndef FED_TESTS_TESTING_MEMORY_STORE_H_
#define FED_TESTS_TESTING_MEMORY_STORE_H_

#include <memory>

#include "absl/functional/function_ref.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "server/store/store.h"

namespace fed::server {

class MemoryTables;

// Thread-safe. A write works on a copy of all rows, which becomes the store's if its body is OK; a
// read holds on to the rows that it found. Nothing survives its destructor.
class MemoryStore final : public Store {
 public:
  MemoryStore();
  ~MemoryStore() override;

  Status Read(absl::FunctionRef<Status(const StoreView&)> body) const override;
  Status Write(absl::FunctionRef<Status(StoreEdit&)> body) override;

  // The next writes return `status`: without having run their bodies, or (kUnknown) after their
  // edits took place, as a commit does that only looked failed. OK: no longer.
  void FailWrites(Status status);

 private:
  std::shared_ptr<const MemoryTables> Current() const;

  Mutex writer_;      // held during a write
  mutable Mutex mu_;  // held for a moment, after writer_
  std::shared_ptr<const MemoryTables> current_ FED_GUARDED_BY(mu_);  // shared with running reads
  Status failure_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_TESTS_TESTING_MEMORY_STORE_H_
