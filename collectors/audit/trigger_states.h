// Whether a trigger function really runs, for each table and event. A trigger that exists may be
// disabled or conditional, and its function may have got another body. Pure but for the session.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// The order is that of kTriggerStateTexts, from good to worse.
enum class TriggerState : std::uint8_t { fires, changed, disabled, conditional, absent };

inline constexpr std::array<std::string_view, 5> kTriggerStateTexts{
    "fires", "calls a function whose body changed",
    "is disabled, fires on replicas only, or not for whom session_replication_role is set",
    "fires only under a condition or for some columns", "is not there"};

struct TriggerFunction {
  QualifiedName name;
  std::string body_sha256;  ///< of its source in UTF-8, in hexadecimal; empty: any body will do
};

/// By table and event ("delete", "update", "truncate"). A partitioned table has the worst state of
/// its partitions, because each of them can be written to directly.
using TriggerStates = std::map<std::pair<QualifiedName, std::string>, TriggerState>;

TriggerStates trigger_states(Session& session, const TriggerFunction& function);

/// The hash of the function's present body; empty if there is no such function.
std::string body_sha256(Session& session, const QualifiedName& function);

}  // namespace pg_integrity
