// Updates on their way: durable before their first byte is sent, kept until their end is known.
#ifndef FED_CLIENT_SDK_SESSION_OUTBOX_H_
#define FED_CLIENT_SDK_SESSION_OUTBOX_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client_sdk/update/update_builder.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "fed/client_options.h"
#include "fed/parameters.h"
#include "fed/status.h"
#include "proto/wire/participation.h"

namespace fed::client {

// One device's outbox, and the local tensors that go with it. An entry's life:
//
//   Store -> kUnsent -- Acknowledge --> kUnsettled -- Settle(counted) --> gone, local tensors
//   current
//               |                            `------ Settle(discarded, unknown) --> gone, with them
//               `-- Drop --> gone, with its local tensors
//
// Files, of <job>.<assignment>: .update and .local (unsent), .receipt and .local (unsettled). With
// Durability::kFull each step is on disk when it returns; with kNormal it outlives the process. Not
// thread-safe: one call at a time, on any thread. Calls block on the disk; what fails may be
// repeated.
class Outbox {
 public:
  enum class State { kUnsent, kUnsettled };
  using Ref = wire::AssignmentRef;

  struct Options {
    std::string folder;        // of the outbox
    std::string local_folder;  // of current local tensors: <job>.safetensors
    Durability durability = Durability::kFull;
  };

  // Reads what an earlier life left. An unsent update whose bytes are damaged is dropped with a log
  // line. `files` and `log` outlive it.
  static StatusOr<std::unique_ptr<Outbox>> Open(FileSystem& files, const Log& log, Options options);

  std::map<Ref, State> entries() const;
  bool HasUnsent(const Ref& ref) const;

  // `write` fills the update's file. `next_local`, which may be null, becomes current when the
  // update has counted. Nothing is left behind if it fails. kAlreadyExists: there is an entry.
  Status Store(const Ref& ref, const std::function<StatusOr<EncodedUpdate>(File&)>& write,
               const Parameters* next_local);

  // An unsent update, to be sent: what it is, and its open file. kNotFound.
  struct Unsent {
    wire::UploadBegin begin;
    std::unique_ptr<File> file;
  };
  StatusOr<Unsent> OpenUnsent(const Ref& ref);

  // The server has it: only the receipt is kept. OK if that was known.
  Status Acknowledge(const Ref& ref);

  // How it ended. An unsent one may end too: its receipt was lost on the way. kUnknown drops what
  // was acknowledged; of an unsent one it says nothing. OK if there is no such entry.
  Status Settle(const wire::ReceiptEnd& end);

  // It will never count.
  Status Drop(const Ref& ref);

  // Whether any job has local tensors here.
  bool KeepsLocal() const { return keeps_local_; }

  // The job's current local tensors; without any tensor if it has none. kDataLoss: not readable.
  StatusOr<Parameters> Local(const JobId& job) const;

 private:
  struct Entry {
    State state = State::kUnsent;
    EncodedUpdate update;  // of an unsent one
  };

  Outbox(FileSystem& files, const Log& log, Options options)
      : files_(files), log_(log), options_(std::move(options)) {}

  Status MakeFolders();
  Status Load();
  Status LoadUnsent(const Ref& ref);
  StatusOr<EncodedUpdate> WriteUpdateFile(
      const Ref& ref, const std::function<StatusOr<EncodedUpdate>(File&)>& write);
  Status Forget(const Ref& ref);
  Status RemoveIfThere(const std::string& path);
  Status SyncFolder(const std::string& folder);
  std::string PathOf(const Ref& ref, absl::string_view ending) const;
  std::string LocalPath(const JobId& job) const;

  FileSystem& files_;
  const Log& log_;
  const Options options_;
  std::map<Ref, Entry> entries_;
  bool keeps_local_ = false;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_OUTBOX_H_
