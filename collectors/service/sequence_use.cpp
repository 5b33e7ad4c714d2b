// The share of a sequence that is used up. A sequence that has reached its end, or the end of what
// its column can hold, refuses the next insert. The end comes on a day that can be told long
// before.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/sequences.h"
#include "collectors/walk.h"

namespace pg_integrity::sequence_use {

namespace {

constexpr auto kMax =
    gauge("pg_integrity_sequence_used_ratio_max", "Configured upper limit of sequence_used_ratio.");
constexpr auto kUsed =
    gauge("pg_integrity_sequence_used_ratio",
          "Share of the values that the column's sequence can give, and that the column can hold, "
          "which the sequence has passed.",
          at_most(kMax).says("The sequence of {schema}.{table}.{column} has used {value} of its "
                             "values, it should have used at most {limit}."),
          "schema", "table", "column");

constexpr const MetricInfo* kMetrics[] = {&kUsed, &kMax};

constexpr std::string_view kIdentity[] = {"schema", "table", "column"};

constexpr Option kOptions[] = {
    {.name = "max_used",
     .type = OptionType::number,
     .fallback = "0.8",
     .help = "a larger share of the values is a violation; 0.8 means four fifths",
     .min = 0,
     .max = 1}};

// The ends of the column's type are NULL where it has none, as for numeric without a precision. A
// domain counts as its base type.
constexpr std::string_view kShare = R"(
WITH RECURSIVE typed(oid, typmod) AS (
  SELECT a.atttypid, a.atttypmod FROM pg_attribute a
  WHERE a.attrelid = $1::regclass AND a.attname = $2
  UNION ALL
  SELECT t.typbasetype, t.typtypmod FROM typed JOIN pg_type t ON t.oid = typed.oid
  WHERE t.typtype = 'd'),
whole(oid, digits) AS (
  SELECT oid, CASE WHEN typmod > 4 THEN
    greatest(0, ((typmod - 4) >> 16) - ((typmod - 4) & 2047)) END FROM typed),
held(least, most) AS (
  SELECT CASE oid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648
      WHEN 'numeric'::regtype THEN 1 - 10::numeric ^ digits END,
    CASE oid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
      WHEN 'numeric'::regtype THEN 10::numeric ^ digits - 1 END
  FROM whole),
range AS (
  SELECT s.seqincrement > 0 AS up, greatest(s.seqmin, max(h.least)) AS least,
    least(s.seqmax, min(h.most)) AS most
  FROM pg_sequence s CROSS JOIN held h WHERE s.seqrelid = $3::regclass
  GROUP BY s.seqincrement, s.seqmin, s.seqmax)
SELECT CASE WHEN NOT v.is_called THEN 0 WHEN r.most <= r.least THEN 1
  ELSE least(1, greatest(0, (CASE WHEN r.up THEN v.last_value - r.least ELSE r.most - v.last_value END)
    / (r.most - r.least))) END AS used
FROM range r CROSS JOIN )";

class SequenceUse final : public Collector {
 public:
  explicit SequenceUse(const Settings& settings) : max_used_(settings.number("max_used")) {}

  void declare(Batch& out) const override { out.set(kMax, max_used_); }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty() || schema_.lock() != schema) {
      schema_.reset();
      columns_ = fed_columns(from.session(), *schema, {});
      schema_ = schema;
    }
    return Walk(from).each(
        "sequences", columns_,
        [](const FedColumn& fed) { return walk_key(fed.table.schema, fed.table.name, fed.column); },
        [&](const FedColumn& fed) {
          const std::array<std::string, 3> labels{fed.table.schema, fed.table.name, fed.column};
          if (!fed.sequences.empty() && from.wants(labels))
            out.attempt(kUsed, labels, [&] { look_at(from.session(), fed, labels, out); });
        });
  }

 private:
  static void look_at(Session& session, const FedColumn& fed,
                      const std::array<std::string, 3>& labels, Batch& out) {
    double used = 0;
    for (const Sequence& sequence : fed.sequences) {
      const std::string name = sequence.name.sql();
      const std::array<std::string, 3> parameters{fed.table.sql(), fed.column, name};
      // A view may have come in the sequence's place.
      const Rows rows = session.query(std::string(kShare) + name + " v", parameters, Access::index);
      used = std::max(used, rows.only().number("used"));
      out.evidence(kUsed, "sequence " + sequence.name.display(), labels);
    }
    out.set(kUsed, used, labels);
    if (used >= 1) out.evidence(kUsed, "the next value that is drawn is an error", labels);
  }

  double max_used_;
  std::vector<FedColumn> columns_;      ///< as of the pass
  std::weak_ptr<const Schema> schema_;  ///< beside which they were read
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<SequenceUse>(given.own);
}

void add_reads(const Configuration& /*given*/, Session& session, const Schema& schema,
               Reads& reads) {
  for (const FedColumn& fed : fed_columns(session, schema, {}))
    for (const Sequence& sequence : fed.sequences) reads.sequences.insert(sequence.name);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{.name = "sequence_use",
                              .summary = "how much of their values sequences have used up",
                              .object_noun = "sequence",
                              .report_section = "Sequences",
                              .question = Question::service,
                              .lane = Lane::scan,
                              .scope = Scope::database,
                              .depends_on = DependsOn::tables | DependsOn::outside,
                              .interval = "15m",
                              .deadline = "60s",
                              .metrics = kMetrics,
                              .identity = kIdentity,
                              .options = kOptions,
                              .reads = add_reads,
                              .make = make};

}  // namespace pg_integrity::sequence_use
