// Names on disk and in memory.
//
// 1. A file whose name may be on disk is in names_: it is added before it is made and taken out
//    after it is removed, so that Remove never misses one.
// 2. What a receipt names is durable: Sync covers the bytes, the file's name and the job folder's.
#include "server/ingest/spool.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fed::server {
namespace {

// Of "<assignment>-<digest hex>"; false for any other name.
bool ParseName(const std::string& name, AssignmentId& assignment) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(name, absl::MaxSplits('-', 1));
  return absl::SimpleAtoi(parts.first, &assignment.value) && assignment.value > 0 &&
         Digest::FromHex(parts.second).ok();
}

}  // namespace

StatusOr<std::unique_ptr<Spool>> Spool::Open(FileSystem& files, const std::string& root) {
  std::unique_ptr<Spool> spool(new Spool(files, root));  // its constructor is private
  FED_RETURN_IF_ERROR(files.MakeFolder(root));
  FED_RETURN_IF_ERROR(files.SyncFolder(FolderOf(root)));
  FED_RETURN_IF_ERROR(spool->ReadNames());
  return spool;
}

Status Spool::ReadNames() {
  FED_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, files_.List(root_));
  MutexLock lock(mu_);
  for (const std::string& job : jobs) {
    FED_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(JoinPath(root_, job)));
    for (const std::string& name : names) {
      AssignmentId assignment;
      if (!ParseName(name, assignment)) continue;  // not ours: left alone
      names_[{JobId{job}, assignment}].insert(JoinPath(job, name));
    }
  }
  return {};
}

StatusOr<std::unique_ptr<File>> Spool::OpenForWriting(const Key& key) {
  const Owner owner{key.job, key.assignment};
  const std::string name = NameOf(key);
  FED_RETURN_IF_ERROR(RemoveAllBut(owner, name));
  FED_RETURN_IF_ERROR(files_.MakeFolder(JoinPath(root_, key.job.value)));
  {
    MutexLock lock(mu_);
    names_[owner].insert(name);
  }
  return files_.Open(JoinPath(root_, name), FileSystem::Mode::kCreate);
}

Status Spool::Sync(const Key& key, File& file) {
  FED_RETURN_IF_ERROR(file.Sync());
  FED_RETURN_IF_ERROR(files_.SyncFolder(JoinPath(root_, key.job.value)));
  return files_.SyncFolder(root_);
}

std::string Spool::NameOf(const Key& key) const {
  return JoinPath(key.job.value, absl::StrCat(key.assignment.value, "-", key.digest.ToHex()));
}

StatusOr<std::unique_ptr<File>> Spool::OpenForReading(const Receipt& receipt) const {
  return files_.Open(JoinPath(root_, receipt.spool_file), FileSystem::Mode::kRead);
}

Status Spool::Remove(const JobId& job, AssignmentId assignment) {
  return RemoveAllBut({job, assignment}, "");
}

Status Spool::RemoveJob(const JobId& job) {
  FED_ASSIGN_OR_RETURN(const std::vector<Held> all, List());
  for (const Held& held : all) {
    if (held.job == job) FED_RETURN_IF_ERROR(Remove(held.job, held.assignment));
  }
  const std::string folder = JoinPath(root_, job.value);
  FED_ASSIGN_OR_RETURN(const bool there, files_.Exists(folder));
  return there ? files_.Remove(folder) : Status();
}

StatusOr<std::vector<Spool::Held>> Spool::List() const {
  MutexLock lock(mu_);
  std::vector<Held> all;
  for (const auto& [owner, names] : names_) all.push_back({owner.first, owner.second});
  return all;
}

Status Spool::RemoveAllBut(const Owner& owner, const std::string& kept) {
  std::set<std::string> names;
  {
    MutexLock lock(mu_);
    if (const auto found = names_.find(owner); found != names_.end()) names = found->second;
  }
  for (const std::string& name : names) {
    if (name == kept) continue;
    const Status status = files_.Remove(JoinPath(root_, name));
    if (!status.ok() && status.code() != StatusCode::kNotFound) return status;
    MutexLock lock(mu_);
    const auto found = names_.find(owner);
    if (found == names_.end()) continue;
    found->second.erase(name);
    if (found->second.empty()) names_.erase(found);
  }
  return {};
}

}  // namespace fed::server
