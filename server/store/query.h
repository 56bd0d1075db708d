// One run of a prepared statement: values in, rows out.
#ifndef FED_SERVER_STORE_QUERY_H_
#define FED_SERVER_STORE_QUERY_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "fed/status.h"
#include "server/store/database.h"

namespace fed::server {

// Bytes that are no text.
struct Blob {
  absl::string_view bytes;
};

// Query query(db, "SELECT a, b FROM t WHERE c = ?1");
// query.Bind(c);
// while (Next() is true) query.Get(a, b);
// Values are integers, bools, enums, doubles, texts, blobs, ids, times and durations. A statement
// runs once at a time on a connection: no two living Query of one text. An error in making or
// binding is kept and comes out of Next.
class Query {
 public:
  Query(Database& db, absl::string_view sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // ?1, ?2, ... Copies.
  template <typename... Values>
  Query& Bind(const Values&... values) {
    int at = 0;
    (BindOne(++at, values), ...);
    return *this;
  }

  StatusOr<bool> Next();  // false: no further row
  Status Run();           // to its end, ignoring rows

  // The columns of the current row, from the first.
  template <typename... Values>
  void Get(Values&... values) const {
    int at = 0;
    (GetOne(at++, values), ...);
  }

 private:
  void BindOne(int at, std::int64_t value);
  void BindOne(int at, double value);
  void BindOne(int at, absl::string_view text);
  void BindOne(int at, Blob blob);
  void BindOne(int at, absl::Time time);
  void BindOne(int at, absl::Duration duration);
  void BindOne(int at, const std::string& text) { BindOne(at, absl::string_view(text)); }
  template <typename T>
  requires(std::is_enum_v<T> || std::is_same_v<T, int> ||
           std::is_same_v<T, bool>) void BindOne(int at, T value) {
    BindOne(at, static_cast<std::int64_t>(value));
  }
  template <typename Tag, typename Rep>
  void BindOne(int at, const Id<Tag, Rep>& id) {
    BindOne(at, id.value);
  }

  void GetOne(int at, std::int64_t& value) const;
  void GetOne(int at, double& value) const;
  void GetOne(int at, std::string& bytes) const;  // of a text or a blob
  void GetOne(int at, absl::Time& time) const;
  void GetOne(int at, absl::Duration& duration) const;
  template <typename T>
  requires(std::is_enum_v<T> || std::is_same_v<T, int> ||
           std::is_same_v<T, bool>) void GetOne(int at, T& value) const {
    std::int64_t stored = 0;
    GetOne(at, stored);
    value = static_cast<T>(stored);
  }
  template <typename Tag, typename Rep>
  void GetOne(int at, Id<Tag, Rep>& id) const {
    GetOne(at, id.value);
  }

  void Keep(int code);  // an error in binding

  Database& db_;
  sqlite3_stmt* statement_ = nullptr;  // the database's
  Status error_;
};

// The rows of a query, each made by `read(query)`.
template <typename Row>
StatusOr<std::vector<Row>> AllRows(Query& query, Row (*read)(const Query&)) {
  std::vector<Row> rows;
  while (true) {
    FED_ASSIGN_OR_RETURN(const bool more, query.Next());
    if (!more) return rows;
    rows.push_back(read(query));
  }
}

// Its first row, or `none`.
template <typename Row>
StatusOr<Row> OneRow(Query& query, Row (*read)(const Query&), Status none) {
  FED_ASSIGN_OR_RETURN(const bool any, query.Next());
  if (!any) return none;
  return read(query);
}

// A map out of rows of (name, value).
template <typename Map>
StatusOr<Map> NamedValues(Query& query) {
  Map map;
  while (true) {
    FED_ASSIGN_OR_RETURN(const bool more, query.Next());
    if (!more) return map;
    std::string name;
    typename Map::mapped_type value{};
    query.Get(name, value);
    map.emplace(std::move(name), std::move(value));
  }
}

}  // namespace fed::server

#endif  // FED_SERVER_STORE_QUERY_H_
