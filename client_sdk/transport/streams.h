// The two transfers: chunks down, an update up.
#ifndef FED_CLIENT_SDK_TRANSPORT_STREAMS_H_
#define FED_CLIENT_SDK_TRANSPORT_STREAMS_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "client_sdk/transport/open_calls.h"
#include "client_sdk/transport/transport.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "fed/v1/transfer.grpc.pb.h"

namespace fed::client {

// What streams need; outlives them. Files and digests are never touched on gRPC's threads, but on
// `io`.
struct StreamContext {
  v1::Transfer::StubInterface& stub;
  OpenCalls& calls;
  Executor& io;
  const Clock& clock;
  absl::Duration longest_idle;
};

using DownloadSink = std::function<Status(std::int64_t, absl::Span<const std::uint8_t>)>;

std::unique_ptr<Call> StartDownload(const StreamContext& context,
                                    const wire::DownloadRequest& request, DownloadSink sink,
                                    std::function<void(Status)> done);

std::unique_ptr<Call> StartUpload(const StreamContext& context, OutgoingUpdate update,
                                  std::function<void(StatusOr<wire::UploadReply>)> done);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_STREAMS_H_
