// What an update says of itself against what its assignment asks for.
#ifndef FED_SERVER_INGEST_TERMS_CHECK_H_
#define FED_SERVER_INGEST_TERMS_CHECK_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/ingest/round_gate.h"

namespace fed::server {

// All are pure and return kInvalidArgument with what was expected: the update can never count.

// Before the first byte: what the announced sizes may be, so that memory can be taken by them.
Status CheckAnnounced(const wire::UploadBegin& begin, const UpdateTerms& terms, const Codec& codec);

// The header: whose it is, what it is based on, its groups and its scalars.
Status CheckHeader(const UpdateHeader& header, const wire::AssignmentRef& ref,
                   const UpdateTerms& terms);

// The table of a checked header: each tile's length, and all of them against the announced size.
Status CheckTable(absl::Span<const TileEntry> table, const UpdateHeader& header,
                  const wire::UploadBegin& begin, const Codec& codec);

// REQUIRES: CheckHeader was OK.
double WeightOf(const UpdateHeader& header, const UpdateTerms& terms);

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_TERMS_CHECK_H_
