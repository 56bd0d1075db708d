// Makes a job: everything that can be wrong with it is said here, before it exists.
#ifndef FED_SERVER_COORDINATE_JOB_CREATION_H_
#define FED_SERVER_COORDINATE_JOB_CREATION_H_

#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/coordinator.h"
#include "server/store/records.h"

namespace fed::server {

struct CreatedJob {
  JobRecord job;
  ModelRecord initial;  // version 0
};

// Blocking. The files of version 0 are durable before the one transaction that makes the job.
// kInvalidArgument with source and line, or with the tensor that does not fit; kAlreadyExists: the
// id is taken; kResourceExhausted, kUnavailable: the disk.
StatusOr<CreatedJob> CreateJobRows(Context& context, JobDraft draft);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_JOB_CREATION_H_
