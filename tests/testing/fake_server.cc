// Plays the rounds of a script, and fails where it is told to.
#include "tests/testing/fake_server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/tensor/safetensors.h"
#include "tests/testing/fake_files.h"

namespace fed::testing {
namespace {

constexpr std::int64_t kPieceBytes = 100'000;  // fits neither chunks nor tiles

}  // namespace

std::string FileBytes(const Parameters& parameters) {
  FakeFiles files;
  FED_CHECK(SaveSafetensors(files, "/file", parameters).ok());
  return *ReadFile(files, "/file", std::int64_t{1} << 30);
}

void FakeServer::AddVersion(const std::map<std::string, std::string>& files) {
  MutexLock lock(mu_);
  Version version;
  version.files = files;
  version.manifest.job = script_.assignment.ref.job;
  version.manifest.version.value = static_cast<std::int64_t>(versions_.size());
  for (const auto& [group, bytes] : files) {
    ManifestFile file;
    file.group = group;
    file.bytes = static_cast<std::int64_t>(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += kChunkBytes) {
      file.chunks.push_back(ChunkDigest(AsBytes(absl::string_view(bytes).substr(at, kChunkBytes))));
    }
    file.digest = FileDigest(file.bytes, file.chunks);
    version.manifest.files.push_back(file);
  }
  versions_.push_back(std::move(version));
}

void FakeServer::FailAt(std::int64_t n, Fault fault) {
  MutexLock lock(mu_);
  fail_at_ = calls_ + n;
  fault_ = std::move(fault);
}

void FakeServer::SetDown(bool down) {
  MutexLock lock(mu_);
  down_ = down;
}

void FakeServer::Settle(const wire::ReceiptEnd& end) {
  MutexLock lock(mu_);
  ends_[end.ref] = end;
}

FakeServer::Counts FakeServer::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

std::int64_t FakeServer::calls() const {
  MutexLock lock(mu_);
  return calls_;
}

std::vector<FakeServer::Taken> FakeServer::taken() const {
  MutexLock lock(mu_);
  return taken_;
}

std::vector<wire::EvaluationReport> FakeServer::reports() const {
  MutexLock lock(mu_);
  return reports_;
}

std::vector<wire::CheckInRequest> FakeServer::check_ins() const {
  MutexLock lock(mu_);
  return check_ins_;
}

std::vector<wire::RenewRequest> FakeServer::renewals() const {
  MutexLock lock(mu_);
  return renewals_;
}

std::optional<FakeServer::Fault> FakeServer::Begin() {
  MutexLock lock(mu_);
  ++calls_;
  if (down_) return Fault{Status(StatusCode::kUnavailable, "down"), false};
  if (calls_ != fail_at_) return std::nullopt;
  return fault_;
}

StatusOr<wire::CheckInReply> FakeServer::CheckIn(const std::string& device,
                                                 const wire::CheckInRequest& request) {
  if (on_check_in) {
    if (auto answer = on_check_in(request)) return *answer;
  }
  MutexLock lock(mu_);
  ++counts_.check_ins;
  check_ins_.push_back(request);
  wire::CheckInReply reply;
  for (const wire::AssignmentRef& ref : request.unsettled) {
    wire::ReceiptEnd unknown;
    unknown.ref = ref;
    if (ends_.count(ref) > 0) {
      reply.ends.push_back(ends_[ref]);
    } else if (receipts_.count(ref) == 0) {
      reply.ends.push_back(unknown);
    }
  }
  Device& it = devices_[device];
  if (!it.open && it.done < script_.rounds) {
    it.open = script_.assignment;
    it.open->ref.assignment.value = next_assignment_++;
    it.open->round.value = it.done + 1;
    const auto last = static_cast<std::int64_t>(versions_.size()) - 1;
    it.open->base.value = std::min<std::int64_t>(it.done, last);
    it.open->manifest =
        ManifestDigest(versions_[static_cast<std::size_t>(it.open->base.value)].manifest);
  }
  if (it.open) {
    reply.work = *it.open;
    return reply;
  }
  bool all_told = true;
  for (const wire::AssignmentRef& ref : request.unsettled) all_told &= ends_.count(ref) > 0;
  wire::ComeBack later{wire::ComeBack::Reason::kJobsEnded, script_.come_back_after, "all is done"};
  if (!all_told) later = {wire::ComeBack::Reason::kNoWork, absl::Seconds(1), "wait"};
  reply.work = later;
  return reply;
}

Status FakeServer::CheckKnown(ModelVersion version) const {
  if (version.value >= 0 && version.value < static_cast<std::int64_t>(versions_.size())) return {};
  return Status(StatusCode::kNotFound, absl::StrCat("no version ", version.value));
}

StatusOr<Manifest> FakeServer::GetManifest(ModelVersion version) {
  MutexLock lock(mu_);
  ++counts_.manifests;
  FED_RETURN_IF_ERROR(CheckKnown(version));
  return versions_[static_cast<std::size_t>(version.value)].manifest;
}

StatusOr<std::vector<std::pair<std::int64_t, std::string>>> FakeServer::Download(
    const wire::DownloadRequest& request, bool half) {
  MutexLock lock(mu_);
  ++counts_.downloads;
  FED_RETURN_IF_ERROR(CheckKnown(request.version));
  const std::string& bytes =
      versions_[static_cast<std::size_t>(request.version.value)].files.at(request.group);
  const auto size = static_cast<std::int64_t>(bytes.size());
  std::vector<std::pair<std::int64_t, std::string>> pieces;
  for (const wire::ChunkRange& range : request.ranges) {
    const std::int64_t end = std::min((range.first + range.count) * kChunkBytes, size);
    for (std::int64_t at = range.first * kChunkBytes; at < end; at += kPieceBytes) {
      const std::int64_t n = std::min(kPieceBytes, end - at);
      pieces.emplace_back(at,
                          bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(n)));
    }
  }
  if (half) pieces.resize(pieces.size() / 2);
  for (const auto& [at, piece] : pieces) {
    counts_.bytes_down += static_cast<std::int64_t>(piece.size());
  }
  return pieces;
}

StatusOr<wire::UploadReply> FakeServer::Send(const std::string& device,
                                             const client::OutgoingUpdate& update) {
  if (on_send) {
    if (auto answer = on_send(update.begin)) return *answer;
  }
  std::string bytes;
  while (static_cast<std::int64_t>(bytes.size()) < update.begin.total_bytes) {
    FED_ASSIGN_OR_RETURN(const std::string piece,
                         update.read(static_cast<std::int64_t>(bytes.size()), kPieceBytes));
    bytes += piece;
  }
  const auto all = AsBytes(bytes);
  const auto header = static_cast<std::size_t>(update.begin.header_bytes);
  const auto table = static_cast<std::size_t>(update.begin.table_bytes);
  Hasher hasher;
  hasher.Add(all.subspan(0, header + table));
  if (hasher.Finish() != update.begin.digest) {
    return Status(StatusCode::kInvalidArgument, "not the update that was announced");
  }
  MutexLock lock(mu_);
  ++counts_.sends;
  const wire::AssignmentRef& ref = update.begin.ref;
  if (receipts_.count(ref) == 0) {
    const auto open = devices_[device].open;
    if (!open || open->ref != ref) return Status(StatusCode::kNotFound, "no such assignment");
    receipts_[ref] = update.begin.digest;
    taken_.push_back({device, ref, bytes});
    CountDone(device);
    if (script_.settle_at_once) {
      ends_[ref] = {ref, wire::ReceiptEnd::End::kCounted, ModelVersion{1}, ""};
    }
  }
  return wire::UploadReply(wire::UploadReceipt{receipts_[ref], std::nullopt});
}

void FakeServer::CountDone(const std::string& device) {
  devices_[device].open.reset();
  ++devices_[device].done;
}

StatusOr<wire::RenewReply> FakeServer::Renew(const wire::RenewRequest& request) {
  {
    MutexLock lock(mu_);
    ++counts_.renewals;
    renewals_.push_back(request);
  }
  if (on_renew) return on_renew(request);
  return wire::RenewReply{true, "", script_.assignment.remaining};
}

StatusOr<wire::EvaluationReply> FakeServer::Report(const std::string& device,
                                                   const wire::EvaluationReport& report) {
  MutexLock lock(mu_);
  ++counts_.reports;
  const auto open = devices_[device].open;
  if (open && open->ref == report.ref) {
    reports_.push_back(report);
    CountDone(device);
  }
  return wire::EvaluationReply{};
}

}  // namespace fed::testing
