// What is live, what is durable, and how the one becomes the other.
#include "tests/testing/fake_files.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fed::testing {
namespace {

Status Error(StatusCode code, absl::string_view call, absl::string_view path,
             absl::string_view what) {
  return Status(code, absl::StrCat(call, " ", path, ": ", what));
}

Status NoSuchFile(absl::string_view call, absl::string_view path) {
  return Error(StatusCode::kNotFound, call, path, "No such file or directory");
}

void Put(std::int64_t offset, absl::Span<const std::uint8_t> bytes,
         std::vector<std::uint8_t>& out) {
  const auto first = static_cast<std::size_t>(offset);
  out.resize(std::max(out.size(), first + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), out.begin() + offset);
}

// The name that `path` has in `folder`; empty if it is elsewhere.
std::string NameIn(const std::string& folder, const std::string& path) {
  return FolderOf(path) == folder && path != folder ? path.substr(path.rfind('/') + 1) : "";
}

// Whether a folder above `path` is not among `folders`.
bool IsLost(const std::string& path, const std::set<std::string>& folders) {
  for (std::string above = FolderOf(path); above != "/" && above != "."; above = FolderOf(above)) {
    if (!folders.contains(above)) return true;
  }
  return false;
}

}  // namespace

class FakeFile final : public File {
 public:
  FakeFile(FakeFiles& files, std::shared_ptr<FakeFiles::Node> node, std::string path,
           FileSystem::Mode mode, int life)
      : files_(files), node_(std::move(node)), path_(std::move(path)), mode_(mode), life_(life) {}

  Status ReadAt(std::int64_t offset, absl::Span<std::uint8_t> out) const override {
    MutexLock lock(files_.mu_);
    FED_RETURN_IF_ERROR(CheckAlive("read"));
    const auto size = static_cast<std::int64_t>(node_->live.size());
    if (offset < 0 || offset > size - static_cast<std::int64_t>(out.size())) {
      return Error(
          StatusCode::kOutOfRange, "read", path_,
          absl::StrCat("it ends at byte ", size, ", expected ", out.size(), " from ", offset));
    }
    std::copy_n(node_->live.begin() + offset, out.size(), out.begin());
    return {};
  }

  Status WriteAt(std::int64_t offset, absl::Span<const std::uint8_t> bytes) override {
    MutexLock lock(files_.mu_);
    FED_RETURN_IF_ERROR(CheckWritable("write"));
    if (Status status = files_.BeginWriting("write " + path_); !status.ok()) {
      Put(offset, bytes.first(bytes.size() / 2), node_->live);
      return status;
    }
    return files_.WriteLocked(node_, offset, bytes);
  }

  Status Truncate(std::int64_t size) override {
    MutexLock lock(files_.mu_);
    FED_RETURN_IF_ERROR(CheckWritable("truncate"));
    FED_RETURN_IF_ERROR(files_.BeginWriting("truncate " + path_));
    FED_RETURN_IF_ERROR(files_.ReserveLocked(*node_, size));
    node_->live.resize(static_cast<std::size_t>(size));
    return {};
  }

  Status Sync() override {
    MutexLock lock(files_.mu_);
    FED_RETURN_IF_ERROR(CheckAlive("sync"));
    FED_RETURN_IF_ERROR(files_.BeginWriting("sync " + path_));
    node_->durable = node_->live;
    return {};
  }

  StatusOr<std::int64_t> size() const override {
    MutexLock lock(files_.mu_);
    FED_RETURN_IF_ERROR(CheckAlive("stat"));
    return static_cast<std::int64_t>(node_->live.size());
  }

 private:
  Status CheckAlive(absl::string_view call) const FED_REQUIRES(files_.mu_) {
    if (life_ == files_.life_) return {};
    return Error(StatusCode::kUnavailable, call, path_, "opened before the power cut");
  }

  Status CheckWritable(absl::string_view call) const FED_REQUIRES(files_.mu_) {
    if (mode_ == FileSystem::Mode::kRead) {
      return Error(StatusCode::kFailedPrecondition, call, path_, "Bad file descriptor");
    }
    return CheckAlive(call);
  }

  FakeFiles& files_;
  const std::shared_ptr<FakeFiles::Node> node_;  // shared with the names that the file has
  const std::string path_;
  const FileSystem::Mode mode_;
  const int life_;
};

FakeFiles::FakeFiles() {
  live_.folders = {"/", "."};
  durable_ = live_;
}

FakeFiles::~FakeFiles() = default;

StatusOr<std::unique_ptr<File>> FakeFiles::Open(const std::string& path, Mode mode) {
  MutexLock lock(mu_);
  if (live_.folders.contains(path)) {
    return Error(StatusCode::kFailedPrecondition, "open", path, "Is a directory");
  }
  auto found = live_.files.find(path);
  if (found == live_.files.end()) {
    if (mode != Mode::kCreate || !live_.folders.contains(FolderOf(path))) {
      return NoSuchFile("open", path);
    }
    FED_RETURN_IF_ERROR(BeginWriting("open " + path));
    found = live_.files.emplace(path, std::make_shared<Node>()).first;
  }
  return std::unique_ptr<File>(std::make_unique<FakeFile>(*this, found->second, path, mode, life_));
}

Status FakeFiles::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mu_);
  const auto found = live_.files.find(from);
  if (found == live_.files.end() || !live_.folders.contains(FolderOf(to))) {
    return NoSuchFile("rename", absl::StrCat(from, " to ", to));
  }
  FED_RETURN_IF_ERROR(BeginWriting(absl::StrCat("rename ", from, " to ", to)));
  const std::shared_ptr<Node> node = found->second;
  live_.files.erase(found);
  live_.files[to] = node;
  return {};
}

Status FakeFiles::Remove(const std::string& path) {
  MutexLock lock(mu_);
  const bool folder = live_.folders.contains(path);
  if (!folder && !live_.files.contains(path)) return NoSuchFile("remove", path);
  const auto inside = [&](const std::string& other) { return !NameIn(path, other).empty(); };
  if (folder && (std::any_of(live_.folders.begin(), live_.folders.end(), inside) ||
                 std::any_of(live_.files.begin(), live_.files.end(),
                             [&](const auto& file) { return inside(file.first); }))) {
    return Error(StatusCode::kFailedPrecondition, "remove", path, "Directory not empty");
  }
  FED_RETURN_IF_ERROR(BeginWriting("remove " + path));
  live_.folders.erase(path);
  live_.files.erase(path);
  return {};
}

Status FakeFiles::MakeFolder(const std::string& path) {
  MutexLock lock(mu_);
  return MakeFolderLocked(path);
}

Status FakeFiles::MakeFolderLocked(const std::string& path) {
  if (live_.folders.contains(path)) return {};
  if (live_.files.contains(path)) {
    return Error(StatusCode::kAlreadyExists, "make folder", path, "File exists");
  }
  FED_RETURN_IF_ERROR(MakeFolderLocked(FolderOf(path)));
  FED_RETURN_IF_ERROR(BeginWriting("make folder " + path));
  live_.folders.insert(path);
  return {};
}

Status FakeFiles::SyncFolder(const std::string& path) {
  MutexLock lock(mu_);
  if (!live_.folders.contains(path)) return NoSuchFile("open folder", path);
  FED_RETURN_IF_ERROR(BeginWriting("sync folder " + path));
  std::erase_if(durable_.files,
                [&](const auto& file) { return !NameIn(path, file.first).empty(); });
  std::erase_if(durable_.folders,
                [&](const auto& folder) { return !NameIn(path, folder).empty(); });
  for (const auto& [name, node] : live_.files) {
    if (!NameIn(path, name).empty()) durable_.files[name] = node;
  }
  for (const std::string& folder : live_.folders) {
    if (!NameIn(path, folder).empty()) durable_.folders.insert(folder);
  }
  return {};
}

StatusOr<std::vector<std::string>> FakeFiles::List(const std::string& path) const {
  MutexLock lock(mu_);
  if (!live_.folders.contains(path)) return NoSuchFile("list", path);
  std::vector<std::string> names;
  for (const auto& [name, node] : live_.files) names.push_back(NameIn(path, name));
  for (const std::string& folder : live_.folders) names.push_back(NameIn(path, folder));
  std::erase(names, "");
  std::sort(names.begin(), names.end());
  return names;
}

StatusOr<bool> FakeFiles::Exists(const std::string& path) const {
  MutexLock lock(mu_);
  return live_.files.contains(path) || live_.folders.contains(path);
}

std::int64_t FakeFiles::writing_calls() const {
  MutexLock lock(mu_);
  return writing_calls_;
}

void FakeFiles::FailAt(std::int64_t n, StatusCode code) {
  MutexLock lock(mu_);
  fail_first_ = fail_last_ = n > 0 ? writing_calls_ + n : 0;
  fail_code_ = code;
}

void FakeFiles::FailFrom(std::int64_t n, StatusCode code) {
  MutexLock lock(mu_);
  fail_first_ = writing_calls_ + n;
  fail_last_ = std::numeric_limits<std::int64_t>::max();
  fail_code_ = code;
}

void FakeFiles::SetCapacity(std::int64_t bytes) {
  MutexLock lock(mu_);
  capacity_ = bytes;
}

void FakeFiles::Crash() {
  MutexLock lock(mu_);
  CrashLocked();
}

void FakeFiles::CrashTearingTheLastWrite() {
  MutexLock lock(mu_);
  if (last_write_.node) {
    const absl::Span<const std::uint8_t> bytes(last_write_.bytes);
    Put(last_write_.offset, bytes.first(bytes.size() / 2), last_write_.node->durable);
  }
  CrashLocked();
}

void FakeFiles::CrashLocked() {
  ++life_;
  fail_first_ = fail_last_ = 0;
  last_write_ = {};
  const std::set<std::string> folders = durable_.folders;
  std::erase_if(durable_.folders, [&](const auto& path) { return IsLost(path, folders); });
  std::erase_if(durable_.files, [&](const auto& file) { return IsLost(file.first, folders); });
  for (auto& [path, node] : durable_.files) {
    node = std::make_shared<Node>(Node{node->durable, node->durable});
  }
  live_ = durable_;
}

Status FakeFiles::BeginWriting(const std::string& call) {
  ++writing_calls_;
  if (writing_calls_ < fail_first_ || writing_calls_ > fail_last_) return {};
  return Error(fail_code_, call, absl::StrCat("(call ", writing_calls_, ")"), "made to fail");
}

Status FakeFiles::ReserveLocked(const Node& node, std::int64_t size) {
  std::int64_t used = size - static_cast<std::int64_t>(node.live.size());
  if (used <= 0) return {};
  for (const auto& [path, file] : live_.files) used += static_cast<std::int64_t>(file->live.size());
  if (used <= capacity_) return {};
  return Status(StatusCode::kResourceExhausted,
                absl::StrCat("No space left on device: ", used, " bytes of ", capacity_));
}

Status FakeFiles::WriteLocked(const std::shared_ptr<Node>& node, std::int64_t offset,
                              absl::Span<const std::uint8_t> bytes) {
  FED_RETURN_IF_ERROR(ReserveLocked(*node, offset + static_cast<std::int64_t>(bytes.size())));
  Put(offset, bytes, node->live);
  last_write_ = {node, offset, {bytes.begin(), bytes.end()}};
  return {};
}

}  // namespace fed::testing
