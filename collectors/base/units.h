// Durations, sizes and dates, as a configuration writes them. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// "1h30m" -> 5400 s. Units w, d, h, m, s, ms, each at most once and in this order. Empty if the
/// text is not a duration or the value is too large for a number.
std::optional<Seconds> parse_duration(std::string_view text);
/// "64MiB" -> 67108864. Units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB. Empty if the text is not a
/// size or the value is too large for a number.
std::optional<double> parse_size(std::string_view text);
/// "2026-01-31" -> midnight UTC of that day. Empty if there is no such day.
std::optional<UnixTime> parse_date(std::string_view text);
/// 5400 s -> "1h30m", as the configuration writes it.
std::string format_duration(Seconds duration);

}  // namespace pg_integrity
