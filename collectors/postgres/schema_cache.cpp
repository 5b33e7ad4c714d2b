#include "collectors/postgres/schema_cache.h"

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema_reader.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLifetime{60};

}  // namespace

std::shared_ptr<const Schema> load_schema(Session& session, const std::vector<std::string>& exclude,
                                          Instant now) {
  auto schema = std::make_shared<Schema>();
  schema->loaded_at = now;
  schema->exclude = exclude;
  read_tables(session, exclude, *schema);
  read_columns(session, *schema);
  read_inheritance(session, *schema);
  read_unique_keys(session, *schema);
  read_foreign_keys(session, exclude, *schema);
  find_foreign_code(session, *schema);
  roll_up_foreign_keys(*schema);
  count_triggers_and_sequences(session, exclude, *schema);
  return schema;
}

std::shared_ptr<const Schema> SchemaCache::get(Session& session, Instant now) {
  std::size_t known_contradictions = 0;
  {
    const std::lock_guard lock(mutex_);
    if (newest_ && now - newest_->loaded_at < kLifetime) return newest_;
    known_contradictions = contradictions_;
  }
  auto loaded = load_schema(session, exclude_, now);
  const std::lock_guard lock(mutex_);
  // If somebody contradicted it meanwhile, the loaded schema may be older than the contradiction.
  if (contradictions_ == known_contradictions) newest_ = loaded;
  return loaded;
}

void SchemaCache::contradict() {
  const std::lock_guard lock(mutex_);
  newest_ = nullptr;
  ++contradictions_;
}

}  // namespace pg_integrity
