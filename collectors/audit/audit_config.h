// The configuration of tables whose changes must be audited, and the check of it. Constants and
// pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/audit/trigger_states.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

inline constexpr Option kAuditTrailOptions[] = {
    {.name = "schema", .fallback = "public", .help = "schema of the audit log"},
    {.name = "table", .help = "the audit log; it must keep its entries", .required = true},
    {.name = "about",
     .help = "column: the table that an entry is about, as its name, \"schema.table\", regclass or "
             "OID, with or without quotation marks",
     .required = true},
    {.name = "about_schema", .help = "column: the schema of that table, if `about` has none"},
    {.name = "event", .help = "column: what happened; without it every entry is a delete"},
    {.name = "deletes", .type = OptionType::texts, .help = "texts of `event` that mean a delete"},
    {.name = "truncates",
     .type = OptionType::texts,
     .help = "texts of `event` that mean a TRUNCATE; one such entry is about any number of rows"},
    {.name = "entry",
     .help = "what one entry is about: \"row\", or \"statement\" with any number of rows; needed "
             "if the trigger is FOR EACH STATEMENT; default: row"},
    {.name = "rows",
     .help = "column: how many rows an entry is about, for logs that sum up a statement"}};

inline constexpr Option kAuditedOptions[] = {
    {.name = "database", .help = "where they are; default: the database of the DSN"},
    {.name = "tables",
     .type = OptionType::texts,
     .help = "globs over \"schema.table\": the tables that must be audited",
     .required = true},
    {.name = "function", .help = "the trigger function, as \"schema.function\"", .required = true},
    {.name = "events",
     .type = OptionType::texts,
     .help = "what must be audited: delete, update, truncate; default: delete"},
    {.name = "body_sha256",
     .help = "SHA-256 of the function's body (prosrc); another body is a violation"},
    {.name = "log",
     .type = OptionType::record,
     .help = "where deletes are logged; without it only the triggers are looked at",
     .members = kAuditTrailOptions}};

inline constexpr Option kAuditOptions[] = {
    {.name = "audited",
     .type = OptionType::records,
     .help = "tables whose changes must be audited",
     .members = kAuditedOptions},
    {.name = "baseline",
     .type = OptionType::integer,
     .fallback = "0",
     .help = "change it to acknowledge unaudited deletes: every change to this collector's options "
             "begins to count anew"},
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "rows of tables with a larger heap are not counted; nor are those of a log, unless an"
             " index leads with its column `about`"}};

struct AuditLog {
  QualifiedName table;
  std::string about;
  std::string about_schema;  ///< this and the following may be empty
  std::string event;
  std::vector<std::string> deletes;
  std::vector<std::string> truncates;
  std::string entry;
  std::string rows;
};

struct Audited {
  std::vector<std::string> tables;
  TriggerFunction function;
  std::vector<std::string> events;
  std::optional<AuditLog> log;
};

/// Reads one entry of `audited`.
Audited audited_from(const Settings& record);

void check_audited(const Settings& settings, Problems& problems);

}  // namespace pg_integrity
