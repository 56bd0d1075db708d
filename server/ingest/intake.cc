// Where uploads begin.
#include "server/ingest/intake.h"

#include <utility>

#include "server/ingest/upload_stream.h"

namespace fed::server {

struct Intake::State : IntakeShared {
  using IntakeShared::IntakeShared;
};

Intake::Intake(Parts parts, IntakeOptions options)
    : state_(std::make_shared<State>(parts, options)) {}

Intake::~Intake() { state_->lanes.DropTasks(); }

std::shared_ptr<Upload> Intake::Begin(const Caller& caller, const wire::UploadBegin& begin,
                                      Reply reply) {
  auto stream = std::make_shared<UploadStream>(state_, caller, begin, std::move(reply));
  stream->Start();
  return stream;
}

}  // namespace fed::server
