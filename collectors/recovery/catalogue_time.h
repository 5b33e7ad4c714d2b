// Times and sizes, in the forms in which programs print them as JSON. Pure functions; safe on any
// thread.
#pragma once

#include <optional>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/json_value.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

/// Reads a moment:
///
///     "2026-01-31T03:00:00.25+01:00", "2026-01-31 03:00:00Z"   RFC 3339, also with +0100
///     "2026-01-31 03:00:00", "2026-01-31T03:00:00.25"          as a clock in `zone` shows it
///     "Sat Jan 31 03:00:00 2026"                               ctime, in `zone`
///     1769824800, "1769824800"                                 seconds since 1970
///     1769824800000                                            milliseconds, from 1e11 on
///
/// @return nothing if it is in none of these forms.
std::optional<UnixTime> catalogue_time(const JsonValue& value, const Clock& clock,
                                       const std::string& zone);

/// Reads a number of bytes: a number of `unit` bytes, or a text with its own unit, such as "10Gi"
/// or "1.5 GB".
/// @return nothing if it is neither, or negative.
std::optional<double> catalogue_size(const JsonValue& value, double unit);

}  // namespace pg_integrity
