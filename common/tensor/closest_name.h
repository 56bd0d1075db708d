// Helps the writer of a configuration with a name that nobody knows.
#ifndef FED_COMMON_TENSOR_CLOSEST_NAME_H_
#define FED_COMMON_TENSOR_CLOSEST_NAME_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fed {

// "'ouput'; known: bias, out (did you mean 'out'?)": the name, what is known in the given order,
// and the closest of them if it is at most a third of its letters away.
std::string UnknownName(absl::string_view given, absl::Span<const absl::string_view> known);

}  // namespace fed

#endif  // FED_COMMON_TENSOR_CLOSEST_NAME_H_
