// One upload stream: its place in the intake, its bytes, its reply.
#ifndef FED_SERVER_INGEST_UPLOAD_STREAM_H_
#define FED_SERVER_INGEST_UPLOAD_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "server/ingest/intake.h"
#include "server/ingest/lanes.h"
#include "server/ingest/update_reader.h"

namespace fed::server {

// How many uploads are open. Thread-safe.
class UploadPlaces {
 public:
  explicit UploadPlaces(int most) : free_(most) {}
  bool Take();  // false: none is free
  void Give();

 private:
  Mutex mu_;
  int free_ FED_GUARDED_BY(mu_);
};

// What all uploads of one intake share, and keep alive: the rpc may hold on to an upload longer.
struct IntakeShared {
  IntakeShared(Intake::Parts parts_in, IntakeOptions options_in);

  const Intake::Parts parts;
  const IntakeOptions options;
  Lanes lanes;
  UploadPlaces places;
};

// Life: Start -> [Append]* -> Finish or Cancel; each posts a task to the assignment's lane, and all
// that is private runs there, but for what mu_ guards. Shared by the rpc and its tasks in the lane.
class UploadStream final : public Upload, public std::enable_shared_from_this<UploadStream> {
 public:
  UploadStream(std::shared_ptr<IntakeShared> shared, Caller caller, wire::UploadBegin begin,
               Intake::Reply reply);
  ~UploadStream() override;

  void Start();
  void Append(std::int64_t offset, std::string bytes, std::function<void()> consumed) override;
  void Finish() override;
  void Cancel() override;

 private:
  void Open();
  bool AnswerByReceipt();
  void FenceOlder();
  Status OpenFile();
  void Restore(std::int64_t size);
  Status Feed(std::int64_t first, std::int64_t last);

  void Take(std::int64_t offset, absl::Span<const std::uint8_t> bytes);
  Status CheckPlace(std::int64_t offset, std::int64_t bytes) const;
  void Remember();

  void Commit();
  Status SyncSpool();
  Receipt MakeReceipt() const;
  void Conclude(const Status& written, const Receipt& receipt);

  void Refuse(const std::string& reason);
  void Unstored(const Status& status);
  void Discard();
  void End(StatusOr<wire::UploadReply> last);
  void Close();
  void Send(StatusOr<wire::UploadReply> reply);
  bool cancelled() const;

  const Intake::Parts& parts() const { return shared_->parts; }
  const wire::AssignmentRef& ref() const { return begin_.ref; }
  Spool::Key key() const { return {ref().job, ref().assignment, begin_.digest}; }

  const std::shared_ptr<IntakeShared> shared_;
  const std::shared_ptr<Lane> lane_;  // shared with the assignment's other uploads
  const Caller caller_;
  const wire::UploadBegin begin_;

  Intake::Reply reply_;  // until the upload is over
  RoundId joins_;
  std::optional<UpdateReader> reader_;
  std::unique_ptr<File> file_;
  bool has_place_ = false;
  bool over_ = false;

  mutable Mutex mu_;
  CondVar replied_;
  bool cancelled_ FED_GUARDED_BY(mu_) = false;
  std::optional<std::thread::id> replying_ FED_GUARDED_BY(mu_);  // who is inside reply_
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_UPLOAD_STREAM_H_
