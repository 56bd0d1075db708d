// What versions consist of, for those who download them.
#ifndef FED_SERVER_COORDINATE_VERSION_CATALOG_H_
#define FED_SERVER_COORDINATE_VERSION_CATALOG_H_

#include <memory>
#include <string>

#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/codec/manifest.h"
#include "fed/status.h"
#include "server/store/blob_folder.h"
#include "server/store/store.h"

namespace fed::server {

// From the version's row and the chunks' digests beside its files. Blocking. Codes are the blob
// folder's; kDataLoss: they do not agree.
StatusOr<Manifest> MakeManifest(const ModelRecord& model, const BlobFolder& blobs);

// Thread-safe; blocking (files and store). The latest manifests and open files are kept.
class VersionCatalog {
 public:
  VersionCatalog(Store& store, BlobFolder& blobs);
  ~VersionCatalog();

  // kNotFound: no such job or version, or its files are no longer kept.
  StatusOr<std::shared_ptr<const Manifest>> ManifestOf(const JobId& job, ModelVersion version);

  // One open file, shared by everyone who reads it: a thousand devices that fetch one version open
  // it once. A file that retention removes stays readable for those who hold it.
  StatusOr<std::shared_ptr<const File>> OpenFile(const JobId& job, ModelVersion version,
                                                 const std::string& group);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_VERSION_CATALOG_H_
