// Finds the relation that kept a statement from running. A server's error does not say it in a form
// that can be read in every language, so the catalog is asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"

namespace pg_integrity {

/// The relations that a text of ours names, each once, in its order. Our statements write names as
/// "schema"."name", always in double quotes.
std::vector<QualifiedName> relations_in(std::string_view sql);

/// Finds the relation of the text that somebody else locks, or that our role may not read.
/// @param reason why the statement failed.
/// @return nothing if no such relation is found, for example since the lock was released meanwhile.
/// It never throws.
std::optional<Obstacle> find_obstacle(Session& session, Reason reason, std::string_view sql);

/// The relation of the text with that name, as reports write it. If there is none, it is the only
/// relation of the text, of which the named one is a part.
std::optional<Obstacle> named_obstacle(std::string_view sql, std::string_view name);

}  // namespace pg_integrity
