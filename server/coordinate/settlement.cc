// Receipts as devices see them.
#include "server/coordinate/settlement.h"

#include <algorithm>
#include <utility>

namespace fed::server {
namespace {

wire::ReceiptEnd EndOf(const wire::AssignmentRef& ref, const Receipt& receipt) {
  wire::ReceiptEnd end;
  end.ref = ref;
  if (receipt.end == ReceiptEnd::kCounted) {
    end.end = wire::ReceiptEnd::End::kCounted;
    end.version = receipt.counted_in;
  } else {
    end.end = wire::ReceiptEnd::End::kDiscarded;
    end.reason = receipt.reason;
  }
  return end;
}

bool AsksFor(const Device& device, const JobId& job) {
  const auto& refs = device.request.unsettled;
  return std::any_of(refs.begin(), refs.end(), [&](const auto& ref) { return ref.job == job; });
}

}  // namespace

StatusOr<std::vector<wire::ReceiptEnd>> EndsOf(const StoreView& view, const ClientId& client,
                                               const std::vector<wire::AssignmentRef>& unsettled) {
  std::vector<wire::ReceiptEnd> ends;
  for (const wire::AssignmentRef& ref : unsettled) {
    const StatusOr<Receipt> receipt = view.ReceiptOf(ref.job, ref.assignment);
    const bool none = receipt.status().code() == StatusCode::kNotFound;
    if (!receipt.ok() && !none) return receipt.status();
    if (none || receipt->client != client) {
      wire::ReceiptEnd unknown;
      unknown.ref = ref;
      ends.push_back(std::move(unknown));
    } else if (receipt->end != ReceiptEnd::kOpen) {
      ends.push_back(EndOf(ref, *receipt));
    }
  }
  return ends;
}

void TellEnds(Context& context, const JobId& job, const std::vector<ClientId>& clients) {
  std::vector<Pool::Entry> entries;
  for (const ClientId& client : clients) {
    auto taken = context.pool.TakeIf(client, [&](const Device& d) { return AsksFor(d, job); });
    for (Pool::Entry& entry : taken) entries.push_back(std::move(entry));
  }
  for (const Pool::Entry& entry : entries) {
    const Device& device = entry.poll->device();
    wire::CheckInReply reply;
    reply.work = context.ComeBackAtOnce();
    const Status status = context.parts.store.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(reply.ends, EndsOf(view, device.caller.id, device.request.unsettled));
      return Status();
    });
    if (status.ok()) {
      entry.poll->Answer(std::move(reply));
    } else {
      entry.poll->Answer(status);
    }
  }
}

void CleanUp(Context& context, const JobId& job,
             const std::map<ClientId, AssignmentRecord>& members) {
  std::vector<ClientId> clients;
  for (const auto& [client, row] : members) {
    clients.push_back(client);
    const Status status = context.parts.spool.Remove(job, row.assignment);
    if (!status.ok()) context.parts.log.Warn("spool.kept", {{"reason", status.message()}});
  }
  TellEnds(context, job, clients);
}

}  // namespace fed::server
