// A command of a runbook with names in the place of its variables, to be pasted into bash. Pure
// functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pg_integrity {

/// Names by the variables of the shell that stand for them: "TABLE" is "orders".
using CommandNames = std::map<std::string, std::string, std::less<>>;

/// Replaces each variable whose name is known. The others stay, for the reader to set:
///
///     psql <<SQL
///     SELECT count(*) FROM "$SCHEMA"."$TABLE" WHERE relid = '"$SCHEMA"."$TABLE"'::regclass;
///     SQL
///
/// A name is quoted for the place where it stands: within double quotes of the shell, or within an
/// identifier, a literal, or an identifier in a literal of SQL. So it can be no command, whatever
/// its owner called it. A name with a control character is not filled in.
/// @param command for bash. A here-document in it ends with SQL.
std::string filled_command(std::string_view command, const CommandNames& names);

/// Whether every variable in it has a name.
bool has_all_names(std::string_view command, const CommandNames& names);

/// The text as one word of the shell.
std::string in_single_quotes(std::string_view text);

}  // namespace pg_integrity
