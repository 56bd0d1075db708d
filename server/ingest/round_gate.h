// What ingest asks of whoever runs the rounds, and tells it.
#ifndef FED_SERVER_INGEST_ROUND_GATE_H_
#define FED_SERVER_INGEST_ROUND_GATE_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/codec/update_format.h"
#include "common/crypto/digest.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/security/access.h"
#include "server/store/records.h"

namespace fed::server {

// What an update of one assignment must look like.
struct UpdateTerms {
  RoundId joins;  // the round whose set it would join
  ModelVersion base;
  Digest layout;  // FlatLayout::digest() of the base
  std::string codec;
  std::vector<UpdateGroup> groups;  // exactly these, in any order
  std::set<std::string> scalars;    // taken; any other is refused
  std::string weight_scalar;        // must be there, > 0 and <= max_weight; empty: weight 1
  double max_weight = 0;
  double max_norm = 0;  // L2 of group "delta"; 0: none
};

// Implemented by coordinate. Thread-safe; may block for as long as a store transaction.
class RoundGate {
 public:
  virtual ~RoundGate() = default;

  // Whether bytes of this update may come in now. Asked after the store: a receipt that exists is
  // the answer in any phase. kAborted: the round is over; kNotFound: no such assignment of this
  // caller; kFailedPrecondition: it is REJECTED. The last word is the store's, in AddReceipt.
  virtual StatusOr<UpdateTerms> Expects(const Caller& caller, const wire::AssignmentRef& ref) = 0;

  // Its receipt is committed.
  virtual void Accepted(const Receipt& receipt) = 0;

  // The bytes can never count (wrong shape, NaN, zero examples, ...): the assignment becomes
  // REJECTED with this reason.
  virtual void Rejected(const Caller& caller, const wire::AssignmentRef& ref,
                        const std::string& reason) = 0;

  // The commit of a receipt has an unknown outcome: the process must end and look after the
  // restart.
  virtual void OutcomeUnknown(const Status& status) = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_ROUND_GATE_H_
