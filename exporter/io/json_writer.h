// Writes our own JSON documents. Pure functions.
#pragma once

#include <string>

#include "collectors/base/json_value.h"

namespace pg_integrity {

/// Appends the value as JSON text without line breaks. Bytes that are not UTF-8 become replacement
/// characters. Infinities and NaN become null, because JSON has no number for them.
void append_json(const JsonValue& value, std::string& text);

}  // namespace pg_integrity
