// Headers checked against the file they stand in, and whole files to and from memory.
#include "common/tensor/safetensors.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "common/tensor/half.h"
#include "common/tensor/json_header.h"
#include "common/tensor/tensor_check.h"

namespace fed {
namespace {

constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kAlignment = 8;
constexpr std::int64_t kBlockValues = 256 << 10;  // converted at a time

Status Malformed(absl::string_view what) {
  return Status(StatusCode::kDataLoss, absl::StrCat("safetensors file: ", what));
}

StatusOr<std::string> ReadHeaderText(const File& file, std::int64_t file_bytes) {
  if (file_bytes < kLengthBytes) {
    return Malformed(absl::StrCat("cut off: ", file_bytes, " bytes"));
  }
  std::uint8_t length_bytes[kLengthBytes];
  FED_RETURN_IF_ERROR(file.ReadAt(0, length_bytes));
  const std::uint64_t length = ByteReader(length_bytes).U64();
  if (length > static_cast<std::uint64_t>(kMaxSafetensorsHeaderBytes)) {
    return Malformed(absl::StrCat("header of ", length, " bytes: at most ",
                                  kMaxSafetensorsHeaderBytes, " are read"));
  }
  if (length > static_cast<std::uint64_t>(file_bytes - kLengthBytes)) {
    return Malformed(
        absl::StrCat("cut off: header of ", length, " bytes in a file of ", file_bytes));
  }
  std::string text(length, '\0');
  FED_RETURN_IF_ERROR(
      file.ReadAt(kLengthBytes, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  return text;
}

// `data_end` is where the data must begin that this tensor has.
Status CheckPlace(const JsonTensor& tensor, std::int64_t data_end) {
  StatusOr<std::int64_t> bytes = CheckTensor(tensor.info);
  if (!bytes.ok()) {
    if (bytes.status().code() == StatusCode::kResourceExhausted) return bytes.status();
    return Malformed(bytes.status().message());
  }
  if (tensor.begin > tensor.end || tensor.end - tensor.begin != *bytes) {
    return Malformed(absl::StrCat("tensor ", ToString(tensor.info), " has offsets ", tensor.begin,
                                  " to ", tensor.end, ": expected ", *bytes, " bytes"));
  }
  if (tensor.begin == data_end) return {};
  return Malformed(absl::StrCat(tensor.begin < data_end ? "overlap" : "gap", " before tensor ",
                                ToString(tensor.info), " at offset ", tensor.begin, ": expected ",
                                data_end));
}

Status ReadTensor(const File& file, const SafetensorsHeader::Entry& entry, std::size_t i,
                  Parameters& parameters) {
  if (!IsTrainableDtype(entry.info.dtype)) {
    return file.ReadAt(entry.offset,
                       absl::MakeSpan(parameters.bytes(i).data(), parameters.bytes(i).size()));
  }
  const auto width = static_cast<std::int64_t>(DtypeBytes(entry.info.dtype));
  const auto values = absl::MakeSpan(parameters.values(i).data(), parameters.values(i).size());
  std::vector<std::uint8_t> block;
  for (std::int64_t at = 0; at < entry.info.elements(); at += kBlockValues) {
    const auto part = values.subspan(static_cast<std::size_t>(at), kBlockValues);
    block.resize(part.size() * static_cast<std::size_t>(width));
    FED_RETURN_IF_ERROR(file.ReadAt(entry.offset + at * width, absl::MakeSpan(block)));
    WidenBytes(entry.info.dtype, block, part);
  }
  return {};
}

// Appends at `end` and moves it.
Status WriteTensor(File& file, const Parameters& parameters, std::size_t i, std::int64_t& end) {
  const auto append = [&](absl::Span<const std::uint8_t> bytes) {
    Status status = file.WriteAt(end, bytes);
    end += static_cast<std::int64_t>(bytes.size());
    return status;
  };
  const Dtype dtype = parameters.info(i).dtype;
  if (!IsTrainableDtype(dtype)) {
    return append({parameters.bytes(i).data(), parameters.bytes(i).size()});
  }
  const absl::Span<const float> values(parameters.values(i).data(), parameters.values(i).size());
  std::vector<std::uint8_t> block;
  for (std::size_t at = 0; at < values.size(); at += kBlockValues) {
    const auto part = values.subspan(at, kBlockValues);
    block.resize(part.size() * DtypeBytes(dtype));
    NarrowToBytes(dtype, part, absl::MakeSpan(block));
    FED_RETURN_IF_ERROR(append(block));
  }
  return {};
}

Status WriteWhole(FileSystem& files, const std::string& path, const std::string& header,
                  const Parameters& parameters) {
  FED_ASSIGN_OR_RETURN(const auto file, files.Open(path, FileSystem::Mode::kCreate));
  FED_RETURN_IF_ERROR(file->Truncate(0));
  FED_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(header)));
  auto end = static_cast<std::int64_t>(header.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    FED_RETURN_IF_ERROR(WriteTensor(*file, parameters, i, end));
  }
  return file->Sync();
}

}  // namespace

StatusOr<SafetensorsHeader> ReadSafetensorsHeader(const File& file) {
  SafetensorsHeader header;
  FED_ASSIGN_OR_RETURN(header.file_bytes, file.size());
  FED_ASSIGN_OR_RETURN(const std::string text, ReadHeaderText(file, header.file_bytes));
  FED_ASSIGN_OR_RETURN(JsonHeader json, ParseJsonHeader(text));
  header.metadata = std::move(json.metadata);
  header.header_bytes = kLengthBytes + static_cast<std::int64_t>(text.size());
  std::stable_sort(json.tensors.begin(), json.tensors.end(),
                   [](const JsonTensor& a, const JsonTensor& b) {
                     return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
                   });
  std::int64_t data_end = 0;
  for (JsonTensor& tensor : json.tensors) {
    FED_RETURN_IF_ERROR(CheckPlace(tensor, data_end));
    data_end = tensor.end;
    // Checked at each tensor: a sum of ends can not overflow below a file's size.
    if (data_end > header.file_bytes - header.header_bytes) {
      return Malformed(absl::StrCat("cut off: tensor ", ToString(tensor.info), " ends at offset ",
                                    data_end, ", the data at ",
                                    header.file_bytes - header.header_bytes));
    }
    header.entries.push_back(
        {std::move(tensor.info), header.header_bytes + tensor.begin, tensor.end - tensor.begin});
  }
  if (data_end != header.file_bytes - header.header_bytes) {
    return Malformed(absl::StrCat(header.file_bytes - header.header_bytes - data_end,
                                  " bytes after the last tensor"));
  }
  return header;
}

StatusOr<std::string> MakeSafetensorsHeader(absl::Span<const TensorInfo> tensors,
                                            const std::map<std::string, std::string>& metadata) {
  if (tensors.size() > static_cast<std::size_t>(kMaxTensors)) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat(tensors.size(), " tensors: at most ", kMaxTensors));
  }
  std::set<std::string> names = {"__metadata__"};
  std::vector<JsonTensor> placed;
  std::int64_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    FED_ASSIGN_OR_RETURN(const std::int64_t bytes, CheckTensor(tensor));
    if (!names.insert(tensor.name).second) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("tensor name ", tensor.name, " is taken"));
    }
    if (bytes > std::numeric_limits<std::int64_t>::max() - end) {
      return Status(StatusCode::kInvalidArgument, "the tensors' size overflows 64 bits");
    }
    placed.push_back({tensor, end, end + bytes});
    end += bytes;
  }
  FED_ASSIGN_OR_RETURN(std::string json, WriteJsonHeader(placed, metadata));
  json.resize((json.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (json.size() > static_cast<std::size_t>(kMaxSafetensorsHeaderBytes)) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("safetensors header of ", json.size(), " bytes: at most ",
                               kMaxSafetensorsHeaderBytes));
  }
  std::vector<std::uint8_t> length;
  ByteWriter(length).U64(json.size());
  return absl::StrCat(AsText(length), json);
}

StatusOr<Parameters> LoadSafetensors(FileSystem& files, const std::string& path) {
  FED_ASSIGN_OR_RETURN(const auto file, files.Open(path, FileSystem::Mode::kRead));
  StatusOr<SafetensorsHeader> header = ReadSafetensorsHeader(*file);
  if (!header.ok()) {
    return Status(header.status().code(), absl::StrCat(path, ": ", header.status().message()));
  }
  Parameters parameters;
  for (std::size_t i = 0; i < header->entries.size(); ++i) {
    FED_RETURN_IF_ERROR(parameters.Add(header->entries[i].info));
    FED_RETURN_IF_ERROR(ReadTensor(*file, header->entries[i], i, parameters));
  }
  return parameters;
}

Status SaveSafetensors(FileSystem& files, const std::string& path, const Parameters& parameters,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorInfo> tensors;
  for (std::size_t i = 0; i < parameters.size(); ++i) tensors.push_back(parameters.info(i));
  FED_ASSIGN_OR_RETURN(const std::string header, MakeSafetensorsHeader(tensors, metadata));
  const std::string temporary = path + ".tmp";
  Status status = WriteWhole(files, temporary, header, parameters);
  if (status.ok()) status = files.Rename(temporary, path);
  if (status.ok()) return files.SyncFolder(FolderOf(path));
  const Status removed = files.Remove(temporary);  // in vain at worst: the next try overwrites it
  static_cast<void>(removed);
  return status;
}

}  // namespace fed
