// Model versions and the names of their files in SQLite.
#include "server/store/model_rows.h"

#include <string>
#include <utility>

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

ModelRecord Row(const Query& query) {
  ModelRecord model;
  query.Get(model.job, model.version, model.made_by, model.created_at, model.kept);
  return model;
}

std::pair<std::string, ModelFile> FileRow(const Query& query) {
  std::pair<std::string, ModelFile> file;
  query.Get(file.first, file.second.digest, file.second.bytes);
  return file;
}

}  // namespace

StatusOr<ModelRecord> ModelRows::Find(const JobId& job, ModelVersion version) const {
  Query query(db_, R"sql(
    SELECT job, version, made_by, created_at, kept
    FROM models WHERE job = ?1 AND version = ?2)sql");
  FED_ASSIGN_OR_RETURN(ModelRecord model,
                       OneRow(query.Bind(job, version), Row, NoModel(job, version)));
  FED_RETURN_IF_ERROR(AddFiles(model));
  return model;
}

StatusOr<ModelRecord> ModelRows::Latest(const JobId& job) const {
  Query query(db_, R"sql(
    SELECT job, version, made_by, created_at, kept
    FROM models WHERE job = ?1 ORDER BY version DESC LIMIT 1)sql");
  FED_ASSIGN_OR_RETURN(ModelRecord model, OneRow(query.Bind(job), Row, NoModels(job)));
  FED_RETURN_IF_ERROR(AddFiles(model));
  return model;
}

StatusOr<std::vector<ModelRecord>> ModelRows::Of(const JobId& job) const {
  Query query(db_, R"sql(
    SELECT job, version, made_by, created_at, kept
    FROM models WHERE job = ?1 ORDER BY version)sql");
  FED_ASSIGN_OR_RETURN(std::vector<ModelRecord> models, AllRows(query.Bind(job), Row));
  for (ModelRecord& model : models) FED_RETURN_IF_ERROR(AddFiles(model));
  return models;
}

StatusOr<bool> ModelRows::IsBlobNamed(absl::string_view digest) const {
  Query query(db_, R"sql(
    SELECT 1 FROM model_files JOIN models USING (job, version)
    WHERE digest = ?1 AND kept = 1 LIMIT 1)sql");
  return query.Bind(digest).Next();
}

Status ModelRows::Put(const ModelRecord& model) {
  Query query(db_, R"sql(
    INSERT INTO models (job, version, made_by, created_at, kept) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (job, version) DO UPDATE SET kept = ?5)sql");
  query.Bind(model.job, model.version, model.made_by, model.created_at, model.kept);
  FED_RETURN_IF_ERROR(query.Run());
  for (const auto& [name, file] : model.files) {
    Query named(db_, R"sql(
      INSERT INTO model_files (job, version, name, digest, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (job, version, name) DO NOTHING)sql");
    FED_RETURN_IF_ERROR(named.Bind(model.job, model.version, name, file.digest, file.bytes).Run());
  }
  return Status();
}

Status ModelRows::AddFiles(ModelRecord& model) const {
  Query query(db_, R"sql(
    SELECT name, digest, bytes FROM model_files WHERE job = ?1 AND version = ?2)sql");
  FED_ASSIGN_OR_RETURN(auto files, AllRows(query.Bind(model.job, model.version), FileRow));
  for (auto& [name, file] : files) model.files.emplace(std::move(name), std::move(file));
  return Status();
}

}  // namespace fed::server
