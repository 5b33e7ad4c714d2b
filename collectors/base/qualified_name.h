// Qualified names of tables and similar objects, and how SQL writes them. Plain values; pure
// functions.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace pg_integrity {

/// `name` as an SQL identifier. It is always quoted, so that no part of a name is ever read as
/// syntax.
std::string sql_identifier(std::string_view name);

/// `text` as an SQL literal that is correct under any setting of standard_conforming_strings.
std::string sql_literal(std::string_view text);

struct QualifiedName {
  std::string schema;
  std::string name;

  auto operator<=>(const QualifiedName&) const = default;
  bool operator==(const QualifiedName&) const = default;
  [[nodiscard]] std::string sql() const {
    return sql_identifier(schema) + "." + sql_identifier(name);
  }
  /// "schema.name", as configuration and reports write it.
  [[nodiscard]] std::string display() const { return schema + "." + name; }
};

/// Parses "schema.name" as the configuration writes it. A name without a dot is in the schema
/// public.
QualifiedName qualified_name(const std::string& text);

}  // namespace pg_integrity
