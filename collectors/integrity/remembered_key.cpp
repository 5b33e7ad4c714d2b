#include "collectors/integrity/remembered_key.h"

#include <algorithm>
#include <string_view>

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kMatchFull = " MATCH FULL";

/// "(" and ")" around the names, as identifiers in SQL.
std::string listed(const std::vector<ReferenceColumn>& columns,
                   std::string ReferenceColumn::*which) {
  std::string text;
  for (const ReferenceColumn& column : columns)
    (text += text.empty() ? "(" : ", ") += sql_identifier(column.*which);
  return text + ")";
}

/// Takes a constant text off the front.
bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// Takes what sql_identifier() has written off the front.
std::optional<std::string> take_identifier(std::string_view& text) {
  if (!take(text, "\"")) return std::nullopt;
  std::string name;
  while (!text.empty()) {
    if (take(text, "\"\""))
      name += '"';
    else if (take(text, "\""))
      return name;
    else {
      name += text.front();
      text.remove_prefix(1);
    }
  }
  return std::nullopt;
}

/// Takes what listed() has written off the front; empty if something else is there.
std::vector<std::string> take_list(std::string_view& text) {
  std::vector<std::string> names;
  if (!take(text, "(")) return {};
  do {
    auto name = take_identifier(text);
    if (!name) return {};
    names.push_back(std::move(*name));
  } while (take(text, ", "));
  return take(text, ")") ? names : std::vector<std::string>();
}

bool has_columns(const Schema& schema, const QualifiedName& name,
                 const std::vector<ReferenceColumn>& columns, std::string ReferenceColumn::*which) {
  const Table* table = schema.table(name);
  return table != nullptr && std::all_of(columns.begin(), columns.end(), [&](const auto& column) {
           return table->column(column.*which) != nullptr;
         });
}

}  // namespace

std::string columns_text(const ForeignKey& key) {
  std::string text = listed(key.columns, &ReferenceColumn::child) + " REFERENCES " +
                     listed(key.columns, &ReferenceColumn::parent);
  if (key.match_full) text += kMatchFull;
  if (key.temporal) text += " PERIOD";
  if (!key.condition.empty()) text += " WHERE";
  return text;
}

std::optional<DeclaredReference> remembered_key(const Sample& info) {
  std::string_view text = info.labels.at(5);
  const auto children = take_list(text);
  if (!take(text, " REFERENCES ")) return std::nullopt;
  const auto parents = take_list(text);
  DeclaredReference remembered;
  ForeignKey& key = remembered.key;
  key.match_full = take(text, kMatchFull);
  if (!text.empty() || children.empty() || children.size() != parents.size()) return std::nullopt;
  key.child = {info.labels[0], info.labels[1]};
  key.name = info.labels[2];
  key.parent = {info.labels[3], info.labels[4]};
  for (std::size_t i = 0; i < children.size(); ++i)
    key.columns.push_back({children[i], parents[i], {}, {}, {}, {}});
  return remembered;
}

bool is_checkable(const DeclaredReference& remembered, const Schema& schema) {
  const ForeignKey& key = remembered.key;
  return has_columns(schema, key.child, key.columns, &ReferenceColumn::child) &&
         has_columns(schema, key.parent, key.columns, &ReferenceColumn::parent);
}

bool is_same(const ForeignKey& a, const ForeignKey& b) {
  return a.child == b.child && a.parent == b.parent && a.match_full == b.match_full &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const ReferenceColumn& one, const ReferenceColumn& other) {
                      return one.child == other.child && one.parent == other.parent;
                    });
}

}  // namespace pg_integrity
