// Tells devices how their updates ended.
#ifndef FED_SERVER_COORDINATE_SETTLEMENT_H_
#define FED_SERVER_COORDINATE_SETTLEMENT_H_

#include <map>
#include <vector>

#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/coordinate/context.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace fed::server {

// The ends of the receipts that have one; kUnknown: the store has no such receipt of this client.
StatusOr<std::vector<wire::ReceiptEnd>> EndsOf(const StoreView& view, const ClientId& client,
                                               const std::vector<wire::AssignmentRef>& unsettled);

// After a round has ended: those of its clients that wait and asked for it are answered at once.
void TellEnds(Context& context, const JobId& job, const std::vector<ClientId>& clients);

// A round has ended: its spool goes, and its clients are told.
void CleanUp(Context& context, const JobId& job,
             const std::map<ClientId, AssignmentRecord>& members);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_SETTLEMENT_H_
