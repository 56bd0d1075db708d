// What options must say before anything is begun with them.
#ifndef FED_CLIENT_SDK_SESSION_OPTION_CHECK_H_
#define FED_CLIENT_SDK_SESSION_OPTION_CHECK_H_

#include "fed/client_options.h"
#include "fed/status.h"

namespace fed::client {

// kInvalidArgument names the option and what was expected.
Status CheckOptions(const ClientOptions& options);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_OPTION_CHECK_H_
