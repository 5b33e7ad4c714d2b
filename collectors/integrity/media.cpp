// Media that a database refers to or holds: columns whose values must be URLs, columns that must
// stay empty, and the size of the values. NULL is no medium and always allowed. Every other value
// must be such a URL, and the empty text is none.
#include <algorithm>
#include <set>
#include <tuple>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/url_pattern.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::media {

namespace {

constexpr auto kUnexpected =
    gauge("pg_integrity_media_unexpected_rows", "Rows whose value is not what `must_be` says.",
          must_be(0).says(
              "{value} {row|rows} of {schema}.{table} {holds|hold} something in {column} that "
              "`must_be` does not allow."),
          "schema", "table", "column");
constexpr auto kBytes = gauge(
    "pg_integrity_media_bytes",
    "Size of all values of the column together, uncompressed; of an oid column that of the large "
    "objects it refers to.",
    "schema", "table", "column");

constexpr const MetricInfo* kMetrics[] = {&kUnexpected, &kBytes};

constexpr char kWatched[] = "columns";

constexpr std::string_view kIdentity[] = {"schema", "table", "column"};

constexpr std::size_t kLongestUrl = 8192;  ///< bytes; of a longer value only the length is read

constexpr Option kColumnOptions[] = {
    {.name = "database", .help = "where it is; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "column", .help = "the column", .required = true},
    {.name = "must_be",
     .help = "\"url\": each value is NULL or a URL of at most 8,192 bytes; \"null\": each is NULL"},
    {.name = "schemes",
     .type = OptionType::texts,
     .help = "must_be = \"url\": the schemes that are allowed; default: http and https"},
    {.name = "bytes",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: the size of all values is shown; for columns of bytea, text or oid"}};

constexpr Option kOptions[] = {
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "columns of tables with a larger heap are unproven(too_large)"},
    {.name = "columns",
     .type = OptionType::records,
     .help = "the columns that hold media or refer to them",
     .members = kColumnOptions}};

struct MediaColumn {
  QualifiedName table;
  std::string column;
  std::string must_be;  ///< empty: anything
  std::vector<std::string> schemes;
  bool bytes = false;
};

/// The kind of a column's values, as far as the collector can judge them.
enum class Kind : std::uint8_t { text, bytes, large_object, other };

constexpr std::string_view kTypeOfColumn =
    "SELECT t.typname AS type, t.typtype = 'b' AND t.oid < 16384 AS built_in"
    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = "
    "a.attrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2"
    " AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped";

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// @throws SourceError: unsafe if reading its values might run a user's code, missing if the column
/// does not exist.
Kind kind_of(Session& session, const MediaColumn& media) {
  const std::vector<std::string> parameters{media.table.schema, media.table.name, media.column};
  const Rows rows = session.query(kTypeOfColumn, parameters);
  if (rows.size() == 0)
    throw SourceError(Reason::missing,
                      "table " + media.table.display() + " has no column " + media.column);
  const Row row = rows.only();
  const std::string& type = row.text("type");
  if (!row.flag("built_in"))
    throw SourceError(Reason::unsafe, "column " + media.column + " is of the type " + type +
                                          ", which is not built in. HINT: watch a column of a"
                                          " built-in type, such as text or bytea");
  if (is_any_of(type, {"text", "varchar", "bpchar", "name"})) return Kind::text;
  if (type == "bytea") return Kind::bytes;
  return type == "oid" ? Kind::large_object : Kind::other;
}

/// SQL for whether a row's value is not as it must be; $1 is the pattern of a URL. If a value is
/// too long, only its length is read.
std::string unexpected_sql(const MediaColumn& media) {
  const std::string value = sql_identifier(media.column);
  if (media.must_be.empty()) return "false";
  if (media.must_be == "null") return value + " IS NOT NULL";
  const std::string text = value + "::pg_catalog.text";
  return "CASE WHEN " + value + " IS NULL THEN false WHEN pg_catalog.octet_length(" + text +
         ") > " + std::to_string(kLongestUrl) + " THEN true ELSE NOT (" + text +
         " COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.~*) $1::pg_catalog.text) END";
}

class Media final : public Collector {
 public:
  explicit Media(const Settings& settings) : exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("columns")) {
      MediaColumn media{{record.text("schema"), record.text("table")},
                        record.text("column"),
                        record.text_or_empty("must_be"),
                        record.texts("schemes"),
                        record.flag("bytes")};
      if (media.schemes.empty()) media.schemes = {"http", "https"};
      columns_.push_back(std::move(media));
    }
    std::sort(columns_.begin(), columns_.end(), [](const MediaColumn& a, const MediaColumn& b) {
      return std::tie(a.table, a.column) < std::tie(b.table, b.column);
    });
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    return Walk(from).each(
        "columns", columns_,
        [](const MediaColumn& media) {
          return walk_key(media.table.schema, media.table.name, media.column);
        },
        [&](const MediaColumn& media) {
          const std::array<std::string, 3> labels{media.table.schema, media.table.name,
                                                  media.column};
          if (!from.wants(labels)) return;
          out.attempt(kUnexpected, labels, [&] { look_at(from.session(), *schema, media, out); });
          out.weight(kUnexpected, true, 0, labels[0], labels[1], labels[2]);
        });
  }

 private:
  void look_at(Session& session, const Schema& schema, const MediaColumn& media, Batch& out) const {
    const Table* table = schema.table(media.table);
    if (table == nullptr)
      throw SourceError(Reason::missing, "table " + media.table.display() + " does not exist");
    if (table->has_foreign_partition)
      throw SourceError(Reason::config, "a partition of the table is on another server");
    const Kind kind = kind_of(session, media);
    if (media.must_be == "url" && kind != Kind::text)
      throw SourceError(Reason::config, "column " + media.column + " holds no text");
    if (media.bytes && kind == Kind::other)
      throw SourceError(Reason::config, "column " + media.column + " holds no bytes");
    require_size(heap_bytes(session, *table));
    const std::array<std::string, 3> labels{media.table.schema, media.table.name, media.column};
    // If one of the two fails, the result of the other stands.
    if (!media.must_be.empty())
      out.attempt(kUnexpected, labels, [&] {
        out.set(kUnexpected, unexpected(session, *table, media), labels[0], labels[1], labels[2]);
      });
    if (!media.bytes) return;
    out.attempt(kBytes, labels, [&] {
      out.set(kBytes, bytes(session, *table, media, kind), labels[0], labels[1], labels[2]);
    });
  }

  void require_size(double bytes) const {
    if (bytes > exact_up_to_)
      throw SourceError(Reason::too_large,
                        "not looked at: larger than exact_up_to. HINT: raise it for this server");
  }

  static double unexpected(Session& session, const Table& table, const MediaColumn& media) {
    std::vector<std::string> parameters;
    if (media.must_be == "url") parameters.push_back(url_pattern(media.schemes));
    return session
        .query("SELECT count(*) FILTER (WHERE " + unexpected_sql(media) + ") AS rows FROM " +
                   table.from_clause(),
               parameters, Access::heap)
        .only()
        .number("rows");
  }

  /// A value's length stands in its row, so a value that is stored out of line is not read.
  double bytes(Session& session, const Table& table, const MediaColumn& media, Kind kind) const {
    const std::string value = sql_identifier(media.column);
    std::string sql = "SELECT coalesce(sum(pg_catalog.octet_length(";
    if (kind == Kind::large_object) {
      require_size(session.query("SELECT pg_relation_size('pg_largeobject') AS bytes")
                       .only()
                       .number("bytes"));
      sql += "data)), 0) AS bytes FROM pg_catalog.pg_largeobject WHERE loid IN (SELECT " + value +
             " FROM " + table.from_clause() + ")";
    } else {
      sql += value + (kind == Kind::text ? "::pg_catalog.text" : "") + ")), 0) AS bytes FROM " +
             table.from_clause();
    }
    return session.query(sql, Access::heap).only().number("bytes");
  }

  double exact_up_to_;
  std::vector<MediaColumn> columns_;
};

void check_column(const Settings& record, Problems& problems) {
  const std::string name = "\"" + record.text("table") + "." + record.text("column") + "\"";
  const std::string must_be = record.text_or_empty("must_be");
  if (record.has("must_be") && !is_any_of(must_be, {"url", "null"}))
    problems.add(record.place("must_be"), "\"must_be\" should be \"url\" or \"null\"");
  if (!record.has("must_be") && !record.flag("bytes"))
    problems.add(record.place(), "nothing is asked of " + name,
                 "say what it must be, or bytes = true");
  if (record.has("schemes") && must_be != "url")
    problems.add(record.place("schemes"), "\"schemes\" without must_be = \"url\"");
  for (const std::string& scheme : record.texts("schemes"))
    if (!is_url_scheme(scheme))
      problems.add(record.place("schemes"), "\"" + scheme + "\" is no scheme of a URL",
                   "write it in lower case, without the colon: \"https\"");
}

void check(const Configuration& given, Problems& problems) {
  std::set<std::array<std::string, 4>> seen;
  for (const Settings& record : given.own.records("columns")) {
    check_column(record, problems);
    if (!seen.insert({record.text_or_empty("database"), record.text("schema"), record.text("table"),
                      record.text("column")})
             .second)
      problems.add(record.place("column"), "\"" + record.text("column") + "\" appears twice");
  }
}

bool holds_large_objects(Session& session, const QualifiedName& table, const std::string& column) {
  MediaColumn media;
  media.table = table;
  media.column = column;
  try {
    return kind_of(session, media) == Kind::large_object;
  } catch (const SourceError& error) {
    if (error.session_lost()) throw;
    return false;
  }
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Media>(given.own);
}

void add_reads(const Configuration& given, Session& session, const Schema& schema, Reads& reads) {
  for (const Settings& record : given.own.records("columns")) {
    const QualifiedName table{record.text("schema"), record.text("table")};
    reads.add(schema, table, {record.text("column")});
    reads.large_objects =
        reads.large_objects ||
        (record.flag("bytes") && holds_large_objects(session, table, record.text("column")));
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "media",
    .summary = "columns that must hold URLs or nothing, and the size of what they hold",
    .object_noun = "media column",
    .report_section = "Media",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables,
    .interval = "1h",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint = "name the columns: [[server.collectors.media.columns]]",
    .wanted_snippet = R"([[server.collectors.media.columns]]
table = "users"
column = "avatar_url"
must_be = "url")",
    .check = check,
    .reads = add_reads,
    .remembers_red = true,
    .make = make};

}  // namespace pg_integrity::media
