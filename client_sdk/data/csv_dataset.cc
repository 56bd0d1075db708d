// Numbers in comma-separated lines, plain or gzip.
#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "absl/strings/charconv.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client_sdk/data/csv_lines.h"
#include "fed/dataset.h"

namespace fed {
namespace client {
namespace {

// Which of a line's columns are what.
struct Columns {
  std::size_t count = 0;
  std::vector<std::string> names;     // empty without a header
  std::vector<std::size_t> features;  // places, ascending
  std::vector<std::size_t> targets;   // places, as the options list them
};

struct CsvValues {
  std::vector<float> features, targets;
};

class CsvDataset final : public Dataset {
 public:
  CsvDataset(CsvValues values, std::size_t features_each, std::size_t targets_each)
      : values_(std::move(values)), features_each_(features_each), targets_each_(targets_each) {}

  std::int64_t size() const override {
    return static_cast<std::int64_t>(values_.targets.size() / targets_each_);
  }
  std::vector<std::int64_t> example_shape() const override {
    return {static_cast<std::int64_t>(features_each_)};
  }
  std::int64_t target_values() const override { return static_cast<std::int64_t>(targets_each_); }

  void Gather(std::span<const std::int64_t> indices, std::span<float> features,
              std::span<float> targets) const override {
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const auto i = static_cast<std::size_t>(indices[k]);
      std::copy_n(&values_.features[i * features_each_], features_each_,
                  &features[k * features_each_]);
      std::copy_n(&values_.targets[i * targets_each_], targets_each_, &targets[k * targets_each_]);
    }
  }

 private:
  const CsvValues values_;
  const std::size_t features_each_, targets_each_;
};

Status Invalid(absl::string_view where, absl::string_view what) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat(where, ": ", what));
}

StatusOr<std::size_t> PlaceOf(const std::string& target, const Columns& columns, bool header,
                              const std::string& path) {
  if (header) {
    const auto found = std::find(columns.names.begin(), columns.names.end(), target);
    if (found != columns.names.end()) {
      return static_cast<std::size_t>(found - columns.names.begin());
    }
    return Invalid(path, absl::StrCat("has no column '", target, "'"));
  }
  std::size_t place = 0;
  if (absl::SimpleAtoi(target, &place) && place < columns.count) return place;
  return Invalid(path, absl::StrCat("target '", target, "': without a header, expected a column's ",
                                    "number from 0 to ", columns.count - 1));
}

StatusOr<Columns> ReadColumns(const std::vector<std::string>& cells, const CsvOptions& options,
                              const std::string& path) {
  Columns columns;
  columns.count = cells.size();
  if (options.header) columns.names = cells;
  for (const std::string& target : options.targets) {
    FED_ASSIGN_OR_RETURN(const std::size_t place, PlaceOf(target, columns, options.header, path));
    columns.targets.push_back(place);
  }
  if (options.targets.empty()) columns.targets.push_back(columns.count - 1);
  for (std::size_t place = 0; place < columns.count; ++place) {
    const auto times = std::count(columns.targets.begin(), columns.targets.end(), place);
    if (times > 1) return Invalid(path, absl::StrCat("column ", place, " is a target twice"));
    if (times == 0) columns.features.push_back(place);
  }
  if (columns.features.empty()) return Invalid(path, "has no column beside the targets");
  return columns;
}

StatusOr<float> NumberIn(absl::string_view cell) {
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  if (!cell.empty() && cell.front() == '+') cell.remove_prefix(1);
  float value = 0;
  const auto [end, error] = absl::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (!cell.empty() && error == std::errc() && end == cell.data() + cell.size() &&
      std::isfinite(value)) {
    return value;
  }
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("'", cell.substr(0, 40), "': expected a finite number"));
}

// One line's numbers, appended.
Status AddLine(const CsvLines& lines, const Columns& columns, CsvValues& values) {
  const std::vector<std::string>& cells = lines.cells();
  if (cells.size() != columns.count) {
    return Invalid(lines.Where(), absl::StrCat(cells.size(), " columns: expected ", columns.count));
  }
  const auto add = [&](const std::vector<std::size_t>& places, std::vector<float>& out) -> Status {
    for (const std::size_t place : places) {
      const StatusOr<float> number = NumberIn(cells[place]);
      if (!number.ok()) {
        std::string column = absl::StrCat("column ", place);
        if (!columns.names.empty()) absl::StrAppend(&column, " ('", columns.names[place], "')");
        return Invalid(lines.Where(), absl::StrCat(column, " is ", number.status().message()));
      }
      out.push_back(*number);
    }
    return Status();
  };
  FED_RETURN_IF_ERROR(add(columns.features, values.features));
  return add(columns.targets, values.targets);
}

StatusOr<std::unique_ptr<Dataset>> Load(const std::string& path, const CsvOptions& options) {
  FED_ASSIGN_OR_RETURN(CsvLines lines, CsvLines::Open(path, options.separator));
  FED_ASSIGN_OR_RETURN(bool there, lines.Next());
  if (!there) return Invalid(path, "is empty");
  FED_ASSIGN_OR_RETURN(const Columns columns, ReadColumns(lines.cells(), options, path));
  if (options.header) {
    FED_ASSIGN_OR_RETURN(there, lines.Next());
  }
  CsvValues values;
  while (there) {
    FED_RETURN_IF_ERROR(AddLine(lines, columns, values));
    FED_ASSIGN_OR_RETURN(there, lines.Next());
  }
  return std::unique_ptr<Dataset>(std::make_unique<CsvDataset>(
      std::move(values), columns.features.size(), columns.targets.size()));
}

}  // namespace
}  // namespace client

StatusOr<std::unique_ptr<Dataset>> LoadCsvDataset(const std::string& path,
                                                  const CsvOptions& options) {
  try {
    return client::Load(path, options);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted, absl::StrCat("no memory for ", path));
  }
}

}  // namespace fed
