// JSON documents of ours. Pure functions.
#pragma once

#include <string>

#include "collectors/base/json_value.h"

namespace pg_integrity {

/// Appends the value as JSON text, without line breaks. Bytes that are no UTF-8 become replacement
/// characters; infinities and NaN, for which JSON has no number, become null.
void append_json(const JsonValue& value, std::string& text);

}  // namespace pg_integrity
