// Reads a model plan from TOML.
#include "fed/model_plan.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/tensor/closest_name.h"
#include "common/tensor/model_plan_layers.h"
#include "toml++/toml.h"

namespace fed {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string KindOf(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

// One text on its way to one plan; every error carries the source and a line.
class PlanReader {
 public:
  explicit PlanReader(absl::string_view source) : source_(source) {}

  StatusOr<ModelPlan> Read(const toml::table& root) {
    const absl::string_view known[] = {"name", "input", "loss", "initializer", "layer"};
    FED_RETURN_IF_ERROR(CheckKeys(root, known));
    ModelPlan plan;
    FED_ASSIGN_OR_RETURN(plan.name, RequiredText(root, "name"));
    FED_RETURN_IF_ERROR(ReadInput(root, plan.input));
    FED_ASSIGN_OR_RETURN(plan.loss, RequiredText(root, "loss"));
    FED_RETURN_IF_ERROR(ReadInitializer(root, plan.initializer));
    FED_RETURN_IF_ERROR(ReadLayers(root, plan.layers));
    return plan;
  }

 private:
  Status At(const toml::node& node, absl::string_view message) const {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat(source_, ":", node.source().begin.line, ": ", message));
  }

  Status Expected(const toml::node& node, absl::string_view key, absl::string_view what) const {
    return At(node, absl::StrCat("'", key, "' is ", KindOf(node), ": expected ", what));
  }

  Status CheckKeys(const toml::table& table, absl::Span<const absl::string_view> known) const {
    for (const auto& [key, node] : table) {
      const absl::string_view name = View(key.str());
      bool found = false;
      for (const absl::string_view each : known) found |= each == name;
      if (!found) return At(node, absl::StrCat("unknown key ", UnknownName(name, known)));
    }
    return Status();
  }

  StatusOr<std::string> RequiredText(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      return At(table, absl::StrCat("'", View(key), "' is missing: expected a string"));
    }
    const auto* text = node->as_string();
    if (text == nullptr || text->get().empty()) {
      return Expected(*node, View(key), "a string that is not empty");
    }
    return text->get();
  }

  Status ReadInput(const toml::table& root, std::vector<std::int64_t>& input) const {
    const std::string what = "the shape of one example, such as [28, 28]";
    const toml::node* node = root.get("input");
    if (node == nullptr) return At(root, "'input' is missing: expected " + what);
    const toml::array* array = node->as_array();
    if (array == nullptr) return Expected(*node, "input", what);
    for (const toml::node& item : *array) {
      const auto* dimension = item.as_integer();
      if (dimension == nullptr || dimension->get() < 1) return At(item, "expected " + what);
      input.push_back(dimension->get());
    }
    return Status();
  }

  Status ReadInitializer(const toml::table& root, Initializer& initializer) const {
    const toml::node* node = root.get("initializer");
    if (node == nullptr) return Status();
    const toml::table* table = node->as_table();
    if (table == nullptr) return Expected(*node, "initializer", "a table with 'name'");
    const absl::string_view known[] = {"name", "sigma"};
    FED_RETURN_IF_ERROR(CheckKeys(*table, known));
    FED_ASSIGN_OR_RETURN(initializer.name, RequiredText(*table, "name"));
    const toml::node* sigma = table->get("sigma");
    if (sigma == nullptr) return Status();
    if (initializer.name != "normal") {
      return At(*sigma, "'sigma' belongs to the initializer 'normal' alone");
    }
    const auto value = sigma->value<double>();
    if (!sigma->is_number() || !value.has_value()) return Expected(*sigma, "sigma", "a number");
    initializer.sigma = *value;
    return Status();
  }

  Status ReadLayers(const toml::table& root, std::vector<LayerPlan>& layers) const {
    const toml::node* node = root.get("layer");
    if (node == nullptr) return At(root, "there is no [[layer]]: expected at least one");
    const toml::array* array = node->as_array();
    if (array == nullptr) return Expected(*node, "layer", "[[layer]] tables");
    for (const toml::node& item : *array) {
      const toml::table* table = item.as_table();
      if (table == nullptr) return Expected(item, "layer", "[[layer]] tables");
      LayerPlan layer;
      FED_RETURN_IF_ERROR(ReadLayer(*table, layer));
      layers.push_back(std::move(layer));
    }
    return Status();
  }

  Status ReadLayer(const toml::table& table, LayerPlan& layer) const {
    layer.line = static_cast<int>(table.source().begin.line);
    FED_ASSIGN_OR_RETURN(layer.type, RequiredText(table, "type"));
    if (table.contains("name")) {
      FED_ASSIGN_OR_RETURN(layer.name, RequiredText(table, "name"));
    }
    for (const auto& [key, node] : table) {
      if (key.str() == "type" || key.str() == "name") continue;
      Value& value = layer.attributes[std::string(key.str())];
      if (const auto* flag = node.as_boolean()) {
        value = flag->get();
      } else if (const auto* whole = node.as_integer()) {
        value = whole->get();
      } else if (const auto* number = node.as_floating_point()) {
        value = number->get();
      } else if (const auto* text = node.as_string()) {
        value = text->get();
      } else {
        return Expected(node, View(key.str()), "a number, a string, true or false");
      }
    }
    return Status();
  }

  const absl::string_view source_;
};

}  // namespace

std::string ToString(const Value& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const std::int64_t* whole = std::get_if<std::int64_t>(&value)) return absl::StrCat(*whole);
  if (const double* number = std::get_if<double>(&value)) return absl::StrCat(*number);
  return absl::StrCat("'", std::get<std::string>(value), "'");
}

StatusOr<ModelPlan> ParseModelPlan(std::string_view toml, std::string_view source) {
  try {
    const toml::table root = toml::parse(toml, source);
    FED_ASSIGN_OR_RETURN(ModelPlan plan, PlanReader(View(source)).Read(root));
    FED_RETURN_IF_ERROR(ShapesOf(plan, View(source)).status());
    return plan;
  } catch (const toml::parse_error& error) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat(View(source), ":", error.source().begin.line, ": ",
                               View(error.description())));
  }
}

}  // namespace fed
