// The kinds of things that the inventory knows, and their names. Plain values; pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/options/expect.h"

namespace pg_integrity::inventory {

/// The order is that of kObjectKinds. The letters stand in the collector's memory.
enum class Kind : char {
  table = 'T',
  sequence = 'S',
  primary_key = 'p',
  unique_key = 'u',
  foreign_key = 'f',
  exclusion = 'x',
  check = 'c',
  not_null = 'n',
  trigger = 't',
  unique_index = 'U',
  index = 'i',
};

inline constexpr std::string_view kKindLetters = "TSpufxcntUi";
static_assert(kKindLetters.size() == std::size(kObjectKinds));

/// The values of the label `type`. Indexes of both kinds are one type.
inline constexpr std::array<std::string_view, 10> kTypes{
    "tables",     "sequences", "primary_keys", "unique_keys", "foreign_keys",
    "exclusions", "checks",    "not_nulls",    "triggers",    "indexes"};

/// The kind of that letter; empty if there is none.
std::optional<Kind> kind_of(std::string_view letter);

/// "unique_key", as `expect`, `accept` and reports write it.
std::string_view name_of(Kind kind);

/// "unique_keys".
std::string_view type_of(Kind kind);

/// "table public.orders", "trigger public.orders.audit".
/// @param item empty for a table and a sequence.
std::string name_of(Kind kind, const QualifiedName& table, const std::string& item = {});

/// "2026-11-28T19:23:12Z".
std::string utc_text(UnixTime time);

}  // namespace pg_integrity::inventory
