// An update's whole way in: from its first byte to its receipt.
#ifndef FED_SERVER_INGEST_INTAKE_H_
#define FED_SERVER_INGEST_INTAKE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/ingest/round_gate.h"
#include "server/ingest/spool.h"
#include "server/security/access.h"
#include "server/store/store.h"

namespace fed::server {

struct IntakeOptions {
  std::int64_t piece_bytes = 1 << 20;  // that a device is told to send
  std::int64_t queue_bytes = 2 << 20;  // taken in and not yet written, an upload
  int max_uploads = 16;                // at once; others are told to come back
  absl::Duration come_back_after = absl::Seconds(1);
};

// One upload stream, as its rpc sees it. Thread-safe and non-blocking: file, hashing and store work
// happens on the intake's executor, one task at a time for each upload.
class Upload {
 public:
  virtual ~Upload() = default;

  // The next piece; takes the bytes. Continues where the piece before ended (kInvalidArgument is
  // replied otherwise). `consumed` is called once the piece needs no more memory: the rpc reads the
  // next message only while fewer than queue_bytes are waiting.
  virtual void Append(std::int64_t offset, std::string bytes, std::function<void()> consumed) = 0;

  // The device has said all (half-close): with bytes missing, what is there is kept for a resume.
  virtual void Finish() = 0;

  // The stream broke or its identity was revoked; what is there is kept for a resume. No reply
  // comes after it returns.
  virtual void Cancel() = 0;
};

// Thread-safe. What it refers to outlives it; its executor is drained before it is destroyed.
class Intake {
 public:
  // Replies in order on the executor: at most one UploadProceed, then exactly one of the others or
  // an error, after which the upload is over.
  using Reply = std::function<void(StatusOr<wire::UploadReply>)>;

  struct Parts {
    Store& store;
    Spool& spool;
    RoundGate& gate;
    Executor& executor;
    const Clock& clock;
    const Log& log;
  };
  Intake(Parts parts, IntakeOptions options);
  ~Intake();

  // A newer upload of the same assignment fences this one's queued bytes and ends it (kAborted).
  std::shared_ptr<Upload> Begin(const Caller& caller, const wire::UploadBegin& begin, Reply reply);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_INTAKE_H_
