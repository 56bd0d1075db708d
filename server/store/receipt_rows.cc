// Receipts and their scalars in SQLite.
#include "server/store/receipt_rows.h"

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

// Stored as numbers: append only. The statements below name the first.
static_assert(static_cast<int>(ReceiptEnd::kOpen) == 0 &&
              static_cast<int>(ReceiptEnd::kCounted) == 1 &&
              static_cast<int>(ReceiptEnd::kDiscarded) == 2);

Receipt Row(const Query& query) {
  Receipt receipt;
  query.Get(receipt.job, receipt.assignment, receipt.client, receipt.base, receipt.joins,
            receipt.digest, receipt.spool_file, receipt.spool_offset, receipt.bytes, receipt.codec,
            receipt.weight, receipt.norm, receipt.accepted_at, receipt.end, receipt.counted_in,
            receipt.reason);
  return receipt;
}

ModelVersion VersionOf(const ReceiptRows::Ending& ending) {
  return ending.end == ReceiptEnd::kCounted ? ending.counted_in : ModelVersion{};
}

absl::string_view ReasonOf(const ReceiptRows::Ending& ending) {
  return ending.end == ReceiptEnd::kDiscarded ? absl::string_view(ending.reason) : "";
}

}  // namespace

StatusOr<Receipt> ReceiptRows::Find(const JobId& job, AssignmentId assignment) const {
  Query query(db_, R"sql(
    SELECT job, assignment, client, base, joins, digest, spool_file, spool_offset, bytes, codec,
           weight, norm, accepted_at, ended, counted_in, reason
    FROM receipts WHERE job = ?1 AND assignment = ?2)sql");
  FED_ASSIGN_OR_RETURN(Receipt receipt,
                       OneRow(query.Bind(job, assignment), Row, NoReceipt(job, assignment)));
  FED_ASSIGN_OR_RETURN(receipt.scalars, ScalarsOf(receipt));
  return receipt;
}

StatusOr<std::vector<Receipt>> ReceiptRows::OfRound(const JobId& job, RoundId joins) const {
  Query query(db_, R"sql(
    SELECT job, assignment, client, base, joins, digest, spool_file, spool_offset, bytes, codec,
           weight, norm, accepted_at, ended, counted_in, reason
    FROM receipts WHERE job = ?1 AND joins = ?2 ORDER BY assignment)sql");
  FED_ASSIGN_OR_RETURN(std::vector<Receipt> receipts, AllRows(query.Bind(job, joins), Row));
  FED_RETURN_IF_ERROR(AddScalars(receipts));
  return receipts;
}

StatusOr<std::vector<Receipt>> ReceiptRows::Open() const {
  Query query(db_, R"sql(
    SELECT job, assignment, client, base, joins, digest, spool_file, spool_offset, bytes, codec,
           weight, norm, accepted_at, ended, counted_in, reason
    FROM receipts WHERE ended = 0 ORDER BY job, assignment)sql");
  FED_ASSIGN_OR_RETURN(std::vector<Receipt> receipts, AllRows(query, Row));
  FED_RETURN_IF_ERROR(AddScalars(receipts));
  return receipts;
}

StatusOr<bool> ReceiptRows::HasOpen(const JobId& job, const ClientId& client) const {
  Query query(db_, "SELECT 1 FROM receipts WHERE job = ?1 AND client = ?2 AND ended = 0 LIMIT 1");
  return query.Bind(job, client).Next();
}

Status ReceiptRows::Add(const Receipt& receipt) {
  Query query(db_, R"sql(
    INSERT INTO receipts
      (job, assignment, client, base, joins, digest, spool_file, spool_offset, bytes, codec,
       weight, norm, accepted_at, ended, counted_in, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, ''))sql");
  query.Bind(receipt.job, receipt.assignment, receipt.client, receipt.base, receipt.joins,
             receipt.digest, receipt.spool_file, receipt.spool_offset, receipt.bytes, receipt.codec,
             receipt.weight, receipt.norm, receipt.accepted_at);
  FED_RETURN_IF_ERROR(query.Run());
  for (const auto& [name, value] : receipt.scalars) {
    Query scalar(db_, R"sql(
      INSERT INTO receipt_scalars (job, assignment, name, value) VALUES (?1, ?2, ?3, ?4))sql");
    FED_RETURN_IF_ERROR(scalar.Bind(receipt.job, receipt.assignment, name, value).Run());
  }
  return Status();
}

Status ReceiptRows::End(const JobId& job, AssignmentId assignment, const Ending& ending) {
  Query query(db_, R"sql(
    UPDATE receipts SET ended = ?3, counted_in = ?4, reason = ?5
    WHERE job = ?1 AND assignment = ?2 AND ended = 0)sql");
  return query.Bind(job, assignment, ending.end, VersionOf(ending), ReasonOf(ending)).Run();
}

Status ReceiptRows::EndAll(const JobId& job, RoundId joins, const Ending& ending) {
  Query query(db_, R"sql(
    UPDATE receipts SET ended = ?3, counted_in = ?4, reason = ?5
    WHERE job = ?1 AND joins = ?2 AND ended = 0)sql");
  return query.Bind(job, joins, ending.end, VersionOf(ending), ReasonOf(ending)).Run();
}

StatusOr<Scalars> ReceiptRows::ScalarsOf(const Receipt& receipt) const {
  Query query(db_, "SELECT name, value FROM receipt_scalars WHERE job = ?1 AND assignment = ?2");
  return NamedValues<Scalars>(query.Bind(receipt.job, receipt.assignment));
}

Status ReceiptRows::AddScalars(std::vector<Receipt>& receipts) const {
  for (Receipt& receipt : receipts) {
    FED_ASSIGN_OR_RETURN(receipt.scalars, ScalarsOf(receipt));
  }
  return Status();
}

}  // namespace fed::server
