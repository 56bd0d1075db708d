// Rows of a store, all fields set, for tests that need some.
#ifndef FED_TESTS_TESTING_RECORDS_H_
#define FED_TESTS_TESTING_RECORDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/store/records.h"

namespace fed::server {

inline absl::Time TestTime(std::int64_t seconds) {
  return absl::FromUnixMicros(1'700'000'000'000'000 + seconds * 1'000'000 + 123'457);
}

inline JobRecord TestJob(const std::string& id) {
  JobRecord job;
  job.id = {id};
  job.spec = "[job]\nname = \"" + id + "\"\n";
  job.spec_source = "job.toml";
  job.plan = "[plan]\n";
  job.plan_source = "plan.toml";
  job.state = JobState::kRunning;
  job.reason = "as told";
  job.failed_in_a_row = 3;
  job.created_at = TestTime(1);
  return job;
}

inline ClientRecord TestClient(const std::string& id) {
  ClientRecord client;
  client.id = {id};
  client.role = Role::kEvaluator;
  client.name = "name of " + id;
  client.labels = {{"site", "north"}, {"", "empty name"}, {"empty value", ""}};
  client.sdk_version = "0.1.0";
  client.platform = "linux-x86_64";
  client.examples = 600;
  client.enrolled_at = TestTime(2);
  client.first_seen = absl::InfinitePast();
  client.last_seen = absl::InfinitePast();
  client.rounds = 4;
  client.failures = 1;
  client.revoked = true;
  return client;
}

inline EnrollTokenRecord TestToken(const std::string& hash) {
  EnrollTokenRecord token;
  token.hash = hash;
  token.role = Role::kLeaf;
  token.labels = {{"site", "south"}};
  token.uses_left = 100;
  token.expires_at = absl::InfiniteFuture();
  token.ids_from_names = true;
  return token;
}

inline CertificateRecord TestCertificate(const std::string& serial, const std::string& client) {
  CertificateRecord certificate;
  certificate.serial = serial;
  certificate.client = {client};
  certificate.key_digest = "key of " + serial;
  certificate.token_hash = "token of " + serial;
  certificate.der = std::string("\x30\x82\x00\xff\x00", 5);
  certificate.not_after = TestTime(86'400);
  return certificate;
}

inline RoundRecord TestRound(const std::string& job, std::int64_t round) {
  RoundRecord record;
  record.job = {job};
  record.round = {round};
  record.base = {round - 1};
  record.state = RoundState::kOpen;
  record.reason = "";
  record.target_updates = 30;
  record.opened_at = TestTime(10 * round);
  record.closed_at = absl::InfiniteFuture();
  record.remaining = absl::Seconds(90) + absl::Microseconds(7);
  return record;
}

inline AssignmentRecord TestAssignment(const std::string& job, std::int64_t assignment,
                                       std::int64_t round) {
  AssignmentRecord record;
  record.job = {job};
  record.assignment = {assignment};
  record.round = {round};
  record.client = {absl::StrCat("client-", assignment)};
  record.base = {round - 1};
  record.codec = "fp32";
  record.remaining = absl::Seconds(60);
  return record;
}

inline Receipt TestReceipt(const AssignmentRecord& assignment) {
  Receipt receipt;
  receipt.job = assignment.job;
  receipt.assignment = assignment.assignment;
  receipt.client = assignment.client;
  receipt.base = assignment.base;
  receipt.joins = assignment.round;
  receipt.digest = absl::StrCat("digest-", assignment.assignment.value);
  receipt.spool_file = "spool/7";
  receipt.spool_offset = std::int64_t{5} << 32;
  receipt.bytes = std::int64_t{3} << 31;
  receipt.codec = "fp32";
  receipt.weight = 600;
  receipt.norm = 0.1;
  receipt.scalars = {{"examples", 600}, {"loss_before", 2.302585092994046}};
  receipt.accepted_at = TestTime(20);
  return receipt;
}

inline ModelRecord TestModel(const std::string& job, std::int64_t version) {
  ModelRecord model;
  model.job = {job};
  model.version = {version};
  model.made_by = {version};
  model.files = {{"model", {absl::StrCat("blob-", version), 796}},
                 {"control", {absl::StrCat("control-", version), std::int64_t{1} << 40}}};
  model.created_at = TestTime(30 + version);
  return model;
}

inline EvaluationRecord TestEvaluation(const std::string& job, std::int64_t assignment,
                                       std::int64_t version) {
  EvaluationRecord evaluation;
  evaluation.job = {job};
  evaluation.assignment = {assignment};
  evaluation.version = {version};
  evaluation.client = {"evaluator"};
  evaluation.state = EvaluationState::kDone;
  evaluation.scalars = {{"accuracy", 0.84}, {"examples", 10'000}};
  return evaluation;
}

}  // namespace fed::server

#endif  // FED_TESTS_TESTING_RECORDS_H_
