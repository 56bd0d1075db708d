// A Store in memory: snapshots by copying.
#include "tests/testing/memory_store.h"

#include <utility>

#include "tests/testing/memory_tables.h"

namespace fed::server {

MemoryStore::MemoryStore() : current_(std::make_shared<const MemoryTables>()) {}

MemoryStore::~MemoryStore() = default;

Status MemoryStore::Read(absl::FunctionRef<Status(const StoreView&)> body) const {
  return body(*Current());
}

Status MemoryStore::Write(absl::FunctionRef<Status(StoreEdit&)> body) {
  MutexLock one_writer(writer_);
  Status failure;
  {
    MutexLock lock(mu_);
    failure = failure_;
  }
  if (!failure.ok() && failure.code() != StatusCode::kUnknown) return failure;

  auto edited = std::make_shared<MemoryTables>(*Current());
  FED_RETURN_IF_ERROR(body(*edited));
  MutexLock lock(mu_);
  current_ = std::move(edited);
  return failure;
}

void MemoryStore::FailWrites(Status status) {
  MutexLock lock(mu_);
  failure_ = std::move(status);
}

std::shared_ptr<const MemoryTables> MemoryStore::Current() const {
  MutexLock lock(mu_);
  return current_;
}

}  // namespace fed::server
