// Invariants:
//  1 An entry's .update appears by rename, after its .local is in place: whoever sees it sees all.
//  2 .receipt appears before .update goes: an acknowledged update is never sent as a new one.
//  3 .local becomes current, or goes, before .receipt goes: a crash in between settles it again.
#include "client_sdk/session/outbox.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/failpoint.h"
#include "common/tensor/safetensors.h"

namespace fed::client {
namespace {

constexpr absl::string_view kUpdate = ".update", kReceipt = ".receipt", kLocal = ".local";
constexpr absl::string_view kTemporary = ".tmp";

// "keyboard.7" of "keyboard.7.update"; false for any other name.
bool ParseName(absl::string_view name, absl::string_view ending, wire::AssignmentRef& ref) {
  if (!absl::ConsumeSuffix(&name, ending)) return false;
  const std::size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || dot == 0) return false;
  ref.job.value = std::string(name.substr(0, dot));
  return absl::SimpleAtoi(name.substr(dot + 1), &ref.assignment.value);
}

}  // namespace

StatusOr<std::unique_ptr<Outbox>> Outbox::Open(FileSystem& files, const Log& log, Options options) {
  std::unique_ptr<Outbox> outbox(
      new Outbox(files, log, std::move(options)));  // private constructor
  FED_RETURN_IF_ERROR(outbox->MakeFolders());
  FED_RETURN_IF_ERROR(outbox->Load());
  return outbox;
}

// A file is no more durable than the names of the folders above it.
Status Outbox::MakeFolders() {
  for (const std::string& folder : {options_.folder, options_.local_folder}) {
    FED_RETURN_IF_ERROR(files_.MakeFolder(folder));
    FED_RETURN_IF_ERROR(SyncFolder(FolderOf(folder)));
    FED_RETURN_IF_ERROR(SyncFolder(FolderOf(FolderOf(folder))));
  }
  return {};
}

Status Outbox::Load() {
  FED_ASSIGN_OR_RETURN(const auto names, files_.List(options_.folder));
  FED_ASSIGN_OR_RETURN(const auto local, files_.List(options_.local_folder));
  keeps_local_ = !local.empty();
  Ref ref;
  for (const std::string& name : names) {
    if (ParseName(name, kReceipt, ref)) entries_[ref].state = State::kUnsettled;
  }
  for (const std::string& name : names) {
    if (ParseName(name, kUpdate, ref)) {
      if (entries_.count(ref) > 0) {  // invariant 2: acknowledged, and then the power went
        FED_RETURN_IF_ERROR(RemoveIfThere(PathOf(ref, kUpdate)));
      } else {
        FED_RETURN_IF_ERROR(LoadUnsent(ref));
      }
    } else if (absl::EndsWith(name, kTemporary)) {
      FED_RETURN_IF_ERROR(RemoveIfThere(JoinPath(options_.folder, name)));
    }
  }
  for (const std::string& name : names) {  // invariant 1: local tensors of an update never finished
    if (!ParseName(name, kLocal, ref) || entries_.count(ref) > 0) continue;
    FED_RETURN_IF_ERROR(RemoveIfThere(PathOf(ref, kLocal)));
  }
  return {};
}

Status Outbox::LoadUnsent(const Ref& ref) {
  FED_ASSIGN_OR_RETURN(const auto file, files_.Open(PathOf(ref, kUpdate), FileSystem::Mode::kRead));
  StatusOr<EncodedUpdate> update = CheckUpdate(*file);
  if (update.ok()) {
    entries_[ref] = {State::kUnsent, *std::move(update)};
    return {};
  }
  if (update.status().code() != StatusCode::kDataLoss) return update.status();
  log_.Warn("outbox.damaged", {{"job", ref.job.value},
                               {"assignment", ref.assignment.value},
                               {"why", update.status().message()}});
  return Forget(ref);
}

std::map<Outbox::Ref, Outbox::State> Outbox::entries() const {
  std::map<Ref, State> result;
  for (const auto& [ref, entry] : entries_) result[ref] = entry.state;
  return result;
}

bool Outbox::HasUnsent(const Ref& ref) const {
  const auto found = entries_.find(ref);
  return found != entries_.end() && found->second.state == State::kUnsent;
}

Status Outbox::Store(const Ref& ref, const std::function<StatusOr<EncodedUpdate>(File&)>& write,
                     const Parameters* next_local) {
  if (entries_.count(ref) > 0) {
    return Status(StatusCode::kAlreadyExists,
                  absl::StrCat("assignment ", ref.assignment.value, " of ", ref.job.value,
                               " has an update already"));
  }
  StatusOr<EncodedUpdate> update = WriteUpdateFile(ref, write);
  Status status = update.ok() ? Status() : update.status();
  if (status.ok() && next_local != nullptr) {
    status = SaveSafetensors(files_, PathOf(ref, kLocal), *next_local);
  }
  const std::string path = PathOf(ref, kUpdate);
  if (status.ok()) status = files_.Rename(path + std::string(kTemporary), path);
  if (status.ok()) status = SyncFolder(options_.folder);
  if (!status.ok()) {
    const Status forgotten = Forget(ref);  // in vain at worst: Load does it again
    static_cast<void>(forgotten);
    return status;
  }
  entries_[ref] = {State::kUnsent, *std::move(update)};
  FailpointHit("outbox.update_stored");
  return {};
}

StatusOr<EncodedUpdate> Outbox::WriteUpdateFile(
    const Ref& ref, const std::function<StatusOr<EncodedUpdate>(File&)>& write) {
  const std::string path = absl::StrCat(PathOf(ref, kUpdate), kTemporary);
  FED_ASSIGN_OR_RETURN(const auto file, files_.Open(path, FileSystem::Mode::kCreate));
  FED_ASSIGN_OR_RETURN(EncodedUpdate update, write(*file));
  if (options_.durability == Durability::kFull) FED_RETURN_IF_ERROR(file->Sync());
  return update;
}

StatusOr<Outbox::Unsent> Outbox::OpenUnsent(const Ref& ref) {
  const auto found = entries_.find(ref);
  if (found == entries_.end() || found->second.state != State::kUnsent) {
    return Status(StatusCode::kNotFound, absl::StrCat("no unsent update of assignment ",
                                                      ref.assignment.value, " of ", ref.job.value));
  }
  const EncodedUpdate& update = found->second.update;
  Unsent unsent;
  unsent.begin = {ref, update.digest, update.header_bytes, update.table_bytes, update.total_bytes};
  FED_ASSIGN_OR_RETURN(unsent.file, files_.Open(PathOf(ref, kUpdate), FileSystem::Mode::kRead));
  return unsent;
}

Status Outbox::Acknowledge(const Ref& ref) {
  const auto found = entries_.find(ref);
  if (found == entries_.end()) return {};
  if (found->second.state == State::kUnsent) {
    const std::string path = PathOf(ref, kReceipt);
    const std::string text = found->second.update.digest.ToHex();  // for people
    if (options_.durability == Durability::kFull) {
      FED_RETURN_IF_ERROR(WriteFileDurably(files_, path, text));
    } else {
      FED_ASSIGN_OR_RETURN(const auto file, files_.Open(path, FileSystem::Mode::kCreate));
      static_cast<void>(file);  // its name says all: a process that dies leaves it
    }
    found->second.state = State::kUnsettled;
    FailpointHit("outbox.receipt_stored");
  }
  return RemoveIfThere(PathOf(ref, kUpdate));
}

Status Outbox::Settle(const wire::ReceiptEnd& end) {
  using End = wire::ReceiptEnd::End;
  const auto found = entries_.find(end.ref);
  if (found == entries_.end()) return {};
  if (end.end == End::kUnknown && found->second.state == State::kUnsent) return {};
  if (end.end == End::kCounted) {
    const std::string next = PathOf(end.ref, kLocal);
    FED_ASSIGN_OR_RETURN(const bool has_local, files_.Exists(next));
    if (has_local) {
      FED_RETURN_IF_ERROR(files_.Rename(next, LocalPath(end.ref.job)));
      FED_RETURN_IF_ERROR(SyncFolder(options_.local_folder));
      keeps_local_ = true;
    }
  }
  return Drop(end.ref);
}

Status Outbox::Drop(const Ref& ref) {
  if (entries_.count(ref) == 0) return {};
  FED_RETURN_IF_ERROR(Forget(ref));
  entries_.erase(ref);
  return {};
}

Status Outbox::Forget(const Ref& ref) {
  for (const absl::string_view ending : {kUpdate, kLocal}) {
    FED_RETURN_IF_ERROR(RemoveIfThere(PathOf(ref, ending)));
  }
  FED_RETURN_IF_ERROR(RemoveIfThere(absl::StrCat(PathOf(ref, kUpdate), kTemporary)));
  FED_RETURN_IF_ERROR(SyncFolder(options_.folder));
  return RemoveIfThere(PathOf(ref, kReceipt));  // last: invariant 3
}

StatusOr<Parameters> Outbox::Local(const JobId& job) const {
  const std::string path = LocalPath(job);
  FED_ASSIGN_OR_RETURN(const bool has_local, files_.Exists(path));
  if (!has_local) return Parameters();
  return LoadSafetensors(files_, path);
}

Status Outbox::RemoveIfThere(const std::string& path) {
  Status status = files_.Remove(path);
  return status.code() == StatusCode::kNotFound ? Status() : status;
}

Status Outbox::SyncFolder(const std::string& folder) {
  return options_.durability == Durability::kFull ? files_.SyncFolder(folder) : Status();
}

std::string Outbox::PathOf(const Ref& ref, absl::string_view ending) const {
  return JoinPath(options_.folder, absl::StrCat(ref.job.value, ".", ref.assignment.value, ending));
}

std::string Outbox::LocalPath(const JobId& job) const {
  return JoinPath(options_.local_folder, absl::StrCat(job.value, ".safetensors"));
}

}  // namespace fed::client
