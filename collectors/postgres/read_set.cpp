#include "collectors/postgres/read_set.h"

#include <algorithm>
#include <array>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/sql_lexer.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kColumnsOf = R"(
SELECT a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum)";

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// Whether the word is a star that stands for all columns, and not that of count(*) or a
/// multiplication.
bool is_all_columns(const std::vector<std::string>& words, std::size_t i) {
  if (words[i] != "*" || i == 0) return false;
  const std::string& next = i + 1 < words.size() ? words[i + 1] : words[i];
  return is_one_of(words[i - 1], {"select", ",", ".", "distinct", "all"}) ||
         (words[i - 1] == ")" && is_one_of(next, {"from", ","}));
}

}  // namespace

void Reads::add(const Schema& schema, const QualifiedName& table,
                const std::vector<std::string>& columns) {
  const Table* found = schema.table(table);
  if (found == nullptr || found->foreign_code || found->foreign_code_of_heir ||
      found->has_foreign_partition)
    return;
  std::set<std::string>& read = tables[table];
  for (const std::string& column : columns)
    if (found->column(column) != nullptr) read.insert(column);
}

void Reads::add_query(Session& session, std::string_view sql) {
  std::vector<std::string> words;  // names as the catalog stores them, other pieces unchanged
  for (const std::string_view piece : sql_pieces(sql)) {
    const std::string name = sql_name(piece);
    words.push_back(name.empty() ? std::string(piece) : name);
  }
  bool whole_rows = false;
  for (std::size_t i = 0; i < words.size(); ++i)
    whole_rows =
        whole_rows || is_one_of(words[i], {"table", "natural"}) || is_all_columns(words, i);
  const std::set<std::string> named(words.begin(), words.end());
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i + 1] != ".") continue;
    const std::array<std::string, 2> relation{words[i], words[i + 2]};
    const Rows columns = session.query(kColumnsOf, relation);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      std::set<std::string>& read = tables[{relation[0], relation[1]}];
      const std::string column = columns[k].text("name");
      if (whole_rows || named.contains(column)) read.insert(column);
    }
  }
}

}  // namespace pg_integrity
