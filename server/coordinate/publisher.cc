// From the spool to a version.
//
//   1  Files are durable before the row that names them.
//   2  Version, round and receipts change in one transaction, which asks that the round is CLOSING.
//   3  The spool is removed after it.
#include "server/coordinate/publisher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/tensor/flat_layout.h"
#include "common/tensor/safetensors.h"
#include "server/aggregate/fold.h"
#include "server/aggregate/strategy_table.h"

namespace fed::server {
namespace {

Status NeverSucceeds(std::string reason) {
  return Status(StatusCode::kFailedPrecondition, std::move(reason));
}

bool IsWorthRepeating(StatusCode code) {
  return code == StatusCode::kResourceExhausted || code == StatusCode::kUnavailable ||
         code == StatusCode::kUnknown;
}

std::vector<Contribution> ContributionsOf(const std::vector<Receipt>& receipts, bool uniform) {
  std::vector<Contribution> contributions;
  for (const Receipt& receipt : receipts) {
    contributions.push_back({receipt.client, receipt.assignment, uniform ? 1.0 : receipt.weight,
                             receipt.norm, receipt.scalars});
  }
  return contributions;
}

StatusOr<FlatLayout> LayoutOf(const JobTerms& terms, const GroupSpec& group,
                              const SafetensorsHeader& header) {
  std::vector<TensorInfo> tensors;
  for (const SafetensorsHeader::Entry& entry : header.entries) tensors.push_back(entry.info);
  const bool is_model = group.version_group() == "model";
  return FlatLayout::Make(tensors, is_model ? terms.spec.model.patterns : RolePatterns{});
}

Scalars MetricsOf(const std::vector<Receipt>& receipts) {
  Scalars metrics;
  double loss = 0, weight = 0;
  metrics["updates"] = static_cast<double>(receipts.size());
  for (const Receipt& receipt : receipts) {
    metrics["bytes_up"] += static_cast<double>(receipt.bytes);
    const auto examples = receipt.scalars.find(kExamplesScalar);
    if (examples != receipt.scalars.end()) metrics["examples"] += examples->second;
    const auto at = receipt.scalars.find(kLossScalar);
    if (at == receipt.scalars.end()) continue;
    loss += at->second * receipt.weight;
    weight += receipt.weight;
  }
  if (weight > 0) metrics["train_loss"] = loss / weight;
  return metrics;
}

}  // namespace

StatusOr<Publisher::Published> Publisher::Publish(const JobTerms& terms, const RoundRecord& round,
                                                  bool verify, const Scalars& more_metrics) {
  StatusOr<Published> published = PublishOnce(terms, round, verify, more_metrics);
  if (published.status().code() == StatusCode::kDataLoss && !verify) {
    published = PublishOnce(terms, round, true, more_metrics);  // finds the bad update and ends it
  }
  if (published.ok() || IsWorthRepeating(published.status().code())) return published;
  return NeverSucceeds(published.status().message());
}

StatusOr<Publisher::Published> Publisher::PublishOnce(const JobTerms& terms,
                                                      const RoundRecord& round, bool verify,
                                                      const Scalars& more_metrics) {
  ModelRecord base;
  FED_RETURN_IF_ERROR(context_.parts.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(base, view.Model(round.job, round.base));
    return Status();
  }));
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<SpoolReader> reader, OpenSet(round, verify));
  const int good = static_cast<int>(reader->receipts().size());
  if (good < terms.policy.min_updates) {
    return NeverSucceeds(
        absl::StrCat("too few good updates: ", good, " of at least ", terms.policy.min_updates));
  }

  Published published;
  published.receipts = reader->receipts();
  published.metrics = MetricsOf(published.receipts);
  published.metrics.insert(more_metrics.begin(), more_metrics.end());
  published.model.job = round.job;
  published.model.version = ModelVersion{round.base.value + 1};
  published.model.made_by = round.round;
  const BlobSweeper::Naming naming(context_.sweeper);
  for (const GroupSpec& group : terms.spec.groups) {
    FED_ASSIGN_OR_RETURN(published.model.files[group.version_group()],
                         MakeFile(terms, group, base, *reader));
  }
  FailpointHit("publisher.files_durable");

  const absl::Time now = context_.parts.clock.WallNow();
  published.model.created_at = now;
  published.metrics["seconds"] = absl::ToDoubleSeconds(now - round.opened_at);
  FED_RETURN_IF_ERROR(Commit(round, published));
  FailpointHit("publisher.version_committed");

  const auto took_ms = absl::ToInt64Milliseconds(now - round.opened_at);
  context_.parts.log.Info("round.closed", {{"job", round.job.value},
                                           {"round", round.round.value},
                                           {"updates", published.receipts.size()},
                                           {"took_ms", took_ms}});
  context_.parts.log.Info("version.published",
                          {{"job", round.job.value},
                           {"version", published.model.version.value},
                           {"digest", published.model.files.at("model").digest}});

  for (const Receipt& receipt : published.receipts) {  // 3
    const Status status = context_.parts.spool.Remove(round.job, receipt.assignment);
    if (!status.ok()) context_.parts.log.Warn("spool.kept", {{"reason", status.message()}});
  }
  return published;
}

StatusOr<std::unique_ptr<SpoolReader>> Publisher::OpenSet(const RoundRecord& round, bool verify) {
  std::vector<Receipt> receipts;
  FED_RETURN_IF_ERROR(context_.parts.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const auto all, view.Receipts(round.job, round.round));
    for (const Receipt& receipt : all) {
      if (receipt.end == ReceiptEnd::kOpen) receipts.push_back(receipt);
    }
    return Status();
  }));
  FED_ASSIGN_OR_RETURN(std::unique_ptr<SpoolReader> reader,
                       SpoolReader::Open(context_.parts.spool, std::move(receipts), verify));
  if (reader->bad().empty()) return reader;
  for (const SpoolReader::Bad& bad : reader->bad()) {
    context_.parts.log.Error(
        "update.corrupt",
        {{"job", round.job.value}, {"assignment", bad.assignment.value}, {"reason", bad.reason}});
  }
  FED_RETURN_IF_ERROR(context_.Write([&](StoreEdit& edit) -> Status {
    for (const SpoolReader::Bad& bad : reader->bad()) {
      FED_RETURN_IF_ERROR(edit.EndReceipt(round.job, bad.assignment, ReceiptEnd::kDiscarded,
                                          ModelVersion{}, "corrupt: " + bad.reason));
    }
    return Status();
  }));
  return reader;
}

StatusOr<ModelFile> Publisher::MakeFile(const JobTerms& terms, const GroupSpec& group,
                                        const ModelRecord& base, const SpoolReader& reader) {
  const auto base_file = base.files.find(group.version_group());
  if (base_file == base.files.end()) {
    return NeverSucceeds(absl::StrCat("version ", base.version.value, " has no group \"",
                                      group.version_group(), "\""));
  }
  FED_ASSIGN_OR_RETURN(const Digest base_digest, Digest::FromHex(base_file->second.digest));
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, context_.parts.blobs.Open(base_digest));
  FED_ASSIGN_OR_RETURN(const SafetensorsHeader header, ReadSafetensorsHeader(*file));
  FED_ASSIGN_OR_RETURN(const FlatLayout layout, LayoutOf(terms, group, header));

  FED_ASSIGN_OR_RETURN(const Composition composition,
                       Compose(terms.spec.strategy,
                               {group.aggregator, group.optimizer, group.server_learning_rate}));
  FED_ASSIGN_OR_RETURN(const AggregatorFactory factory, FindAggregator(composition.aggregator));
  const bool uniform = group.weighting == "uniform";
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<Aggregator> aggregator,
                       factory(ContributionsOf(reader.receipts(), uniform)));
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<ServerOptimizer> optimizer,
                       MakeOptimizer(composition));
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<TileSource> updates, reader.Group(group.name));

  FED_ASSIGN_OR_RETURN(const std::unique_ptr<BlobFolder::Draft> draft,
                       context_.parts.blobs.Begin());
  const FoldInput input{*updates, *aggregator, *optimizer, layout, *file, header};
  FED_RETURN_IF_ERROR(FoldGroup(input, draft->file(), context_.options.fold_threads));
  FED_ASSIGN_OR_RETURN(const Digest digest, draft->Commit());  // 1
  return ModelFile{digest.ToHex(), header.file_bytes};
}

Status Publisher::Commit(const RoundRecord& round, const Published& published) {
  return context_.Write([&](StoreEdit& edit) -> Status {  // 2
    FED_ASSIGN_OR_RETURN(RoundRecord row, edit.Round(round.job, round.round));
    if (row.state != RoundState::kClosing) {
      return Status(StatusCode::kInternal,
                    absl::StrCat("round ", round.round.value, " is not CLOSING"));
    }
    row.state = RoundState::kPublished;
    FED_RETURN_IF_ERROR(edit.PutModel(published.model));
    FED_RETURN_IF_ERROR(edit.PutRound(row));
    FED_RETURN_IF_ERROR(edit.EndReceipts(round.job, round.round, ReceiptEnd::kCounted,
                                         published.model.version, ""));
    FED_RETURN_IF_ERROR(edit.PutRoundMetrics(round.job, round.round, published.metrics));
    FED_ASSIGN_OR_RETURN(JobRecord job, edit.Job(round.job));
    if (job.failed_in_a_row == 0) return Status();
    job.failed_in_a_row = 0;
    return edit.PutJob(job);
  });
}

}  // namespace fed::server
