// The messages of transfer.proto to values and back.
#include <string>

#include "proto/wire/convert.h"
#include "proto/wire/fields.h"

namespace fed::wire {
namespace {

constexpr std::int64_t kMaxVersion = std::int64_t{1} << 53;
constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 50;
constexpr int kMaxRanges = 100'000;
constexpr int kMaxReasonBytes = 4'096;

void PutDigest(const Digest& digest, std::string* out) {
  out->assign(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
}

StatusOr<ManifestFile> DecodeFile(const v1::ManifestFile& message) {
  ManifestFile file;
  FED_RETURN_IF_ERROR(CheckText("file.group", message.group(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(CheckRange("file.bytes", message.bytes(), 0, kMaxFileBytes));
  FED_ASSIGN_OR_RETURN(file.digest, DecodeDigest("file.digest", message.digest()));
  const std::string& chunks = message.chunk_digests();
  if (chunks.size() % sizeof(Digest::bytes) != 0) {
    return Invalid("file.chunk_digests", absl::StrCat(chunks.size(), " bytes; 32 for each chunk"));
  }
  for (std::size_t at = 0; at < chunks.size(); at += sizeof(Digest::bytes)) {
    FED_ASSIGN_OR_RETURN(Digest digest, DecodeDigest("file.chunk_digests",
                                                     chunks.substr(at, sizeof(Digest::bytes))));
    file.chunks.push_back(digest);
  }
  file.group = message.group();
  file.bytes = message.bytes();
  return file;
}

}  // namespace

StatusOr<Manifest> Decode(const v1::GetManifestReply& message) {
  Manifest manifest;
  FED_ASSIGN_OR_RETURN(manifest.job, DecodeJobId(message.job()));
  FED_RETURN_IF_ERROR(CheckRange("version", message.version(), 0, kMaxVersion));
  manifest.version = ModelVersion{message.version()};
  FED_RETURN_IF_ERROR(CheckRange("number of files", message.files_size(), 1, kMaxGroups));
  for (const v1::ManifestFile& file : message.files()) {
    FED_ASSIGN_OR_RETURN(ManifestFile decoded, DecodeFile(file));
    manifest.files.push_back(std::move(decoded));
  }
  FED_RETURN_IF_ERROR(Validate(manifest));
  return manifest;
}

void Encode(const Manifest& manifest, v1::GetManifestReply& message) {
  message.set_job(manifest.job.value);
  message.set_version(manifest.version.value);
  for (const ManifestFile& file : manifest.files) {
    v1::ManifestFile& out = *message.add_files();
    out.set_group(file.group);
    out.set_bytes(file.bytes);
    PutDigest(file.digest, out.mutable_digest());
    for (const Digest& chunk : file.chunks) {
      out.mutable_chunk_digests()->append(reinterpret_cast<const char*>(chunk.bytes.data()),
                                          chunk.bytes.size());
    }
  }
}

StatusOr<DownloadRequest> Decode(const v1::DownloadRequest& message) {
  DownloadRequest request;
  FED_ASSIGN_OR_RETURN(request.job, DecodeJobId(message.job()));
  FED_RETURN_IF_ERROR(CheckRange("version", message.version(), 0, kMaxVersion));
  FED_RETURN_IF_ERROR(CheckText("group", message.group(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(CheckRange("number of ranges", message.ranges_size(), 1, kMaxRanges));
  request.version = ModelVersion{message.version()};
  request.group = message.group();
  std::int64_t next = 0;
  for (const v1::ChunkRange& range : message.ranges()) {
    FED_RETURN_IF_ERROR(
        CheckRange("ranges.first", range.first(), next, kMaxFileBytes / kChunkBytes));
    FED_RETURN_IF_ERROR(CheckRange("ranges.count", range.count(), 1, kMaxFileBytes / kChunkBytes));
    request.ranges.push_back({range.first(), range.count()});
    next = range.first() + range.count();
  }
  return request;
}

void Encode(const DownloadRequest& request, v1::DownloadRequest& message) {
  message.set_job(request.job.value);
  message.set_version(request.version.value);
  message.set_group(request.group);
  for (const ChunkRange& range : request.ranges) {
    v1::ChunkRange& out = *message.add_ranges();
    out.set_first(range.first);
    out.set_count(range.count);
  }
}

StatusOr<UploadBegin> Decode(const v1::UploadBegin& message) {
  UploadBegin begin;
  FED_ASSIGN_OR_RETURN(begin.ref, Decode(message.ref()));
  FED_ASSIGN_OR_RETURN(begin.digest, DecodeDigest("digest", message.digest()));
  FED_RETURN_IF_ERROR(CheckRange("header_bytes", message.header_bytes(), 1, kMaxUpdateHeaderBytes));
  FED_RETURN_IF_ERROR(CheckRange("table_bytes", message.table_bytes(), 1, kMaxFileBytes));
  FED_RETURN_IF_ERROR(CheckRange("total_bytes", message.total_bytes(),
                                 message.header_bytes() + message.table_bytes(), kMaxFileBytes));
  begin.header_bytes = message.header_bytes();
  begin.table_bytes = message.table_bytes();
  begin.total_bytes = message.total_bytes();
  return begin;
}

void Encode(const UploadBegin& begin, v1::UploadBegin& message) {
  Encode(begin.ref, *message.mutable_ref());
  PutDigest(begin.digest, message.mutable_digest());
  message.set_header_bytes(begin.header_bytes);
  message.set_table_bytes(begin.table_bytes);
  message.set_total_bytes(begin.total_bytes);
}

StatusOr<UploadReply> Decode(const v1::UploadReply& message) {
  switch (message.part_case()) {
    case v1::UploadReply::kProceed: {
      const v1::UploadProceed& proceed = message.proceed();
      FED_RETURN_IF_ERROR(CheckRange("offset", proceed.offset(), 0, kMaxFileBytes));
      FED_RETURN_IF_ERROR(
          CheckRange("piece_bytes", proceed.piece_bytes(), kMinPieceBytes, kMaxPieceBytes));
      return UploadReply(UploadProceed{proceed.offset(), proceed.piece_bytes()});
    }
    case v1::UploadReply::kReceipt: {
      UploadReceipt receipt;
      FED_ASSIGN_OR_RETURN(receipt.digest,
                           DecodeDigest("receipt.digest", message.receipt().digest()));
      if (message.receipt().has_end()) {
        FED_ASSIGN_OR_RETURN(receipt.end, Decode(message.receipt().end()));
      }
      return UploadReply(std::move(receipt));
    }
    case v1::UploadReply::kRefused:
      FED_RETURN_IF_ERROR(CheckText("reason", message.refused().reason(), kMaxReasonBytes));
      return UploadReply(UploadRefused{message.refused().reason()});
    case v1::UploadReply::kComeBack: {
      FED_ASSIGN_OR_RETURN(ComeBack come_back, Decode(message.come_back()));
      return UploadReply(std::move(come_back));
    }
    case v1::UploadReply::PART_NOT_SET:
      break;
  }
  return Invalid("upload reply", "of no kind that this build knows");
}

void Encode(const UploadReply& reply, v1::UploadReply& message) {
  struct {
    v1::UploadReply& out;
    void operator()(const UploadProceed& proceed) const {
      out.mutable_proceed()->set_offset(proceed.offset);
      out.mutable_proceed()->set_piece_bytes(proceed.piece_bytes);
    }
    void operator()(const UploadReceipt& receipt) const {
      PutDigest(receipt.digest, out.mutable_receipt()->mutable_digest());
      if (receipt.end.has_value()) Encode(*receipt.end, *out.mutable_receipt()->mutable_end());
    }
    void operator()(const UploadRefused& refused) const {
      out.mutable_refused()->set_reason(refused.reason.substr(0, kMaxReasonBytes));
    }
    void operator()(const ComeBack& come_back) const {
      Encode(come_back, *out.mutable_come_back());
    }
  } put{message};
  std::visit(put, reply);
}

}  // namespace fed::wire
