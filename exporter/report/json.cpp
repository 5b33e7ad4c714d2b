#include <nlohmann/json.hpp>

#include "collectors/base/instant.h"
#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

using json = nlohmann::ordered_json;

constexpr int kFormat = 2;  ///< grows when a field goes or changes its meaning, not when one comes

json time_or_null(const std::optional<UnixTime>& time) {
  return time ? json(format_utc(*time)) : json(nullptr);
}

json to_json(const StateCounts& counts) {
  json of = json::object();
  for (const State state : worst_first()) {
    const auto found = counts.find(state);
    of[std::string(name_of(state))] = found == counts.end() ? 0 : found->second;
  }
  return of;
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json to_json(const ReportValue& value) {
  return {{"series", value.series},
          {"metric", value.metric},
          {"labels", value.labels},
          {"value", value.value}};
}

json to_json(const ReportObject& object) {
  json broken = json::array();
  for (const ReportBroken& one : object.broken) {
    json entry = to_json(one.seen);
    entry["relation"] = one.relation;
    entry["limit"] = one.limit;
    broken.push_back(std::move(entry));
  }
  json values = json::array();
  for (const ReportValue& value : object.values) values.push_back(to_json(value));
  return {{"object", object.name},
          {"anchor", object.anchor},
          {"state", std::string(name_of(object.state))},
          {"reason", object.reason ? json(std::string(name_of(*object.reason))) : json(nullptr)},
          {"since", time_or_null(object.since)},
          {"cause", object.cause ? json(*object.cause) : json(nullptr)},
          {"evidence_time", time_or_null(object.evidence_time)},
          {"findings", object.findings},
          {"broken", std::move(broken)},
          {"evidence", object.lines},
          {"values", std::move(values)}};
}

json to_json(const ReportWrong& wrong) {
  return {{"database", text_or_null(wrong.database)},
          {"text", wrong.text},
          {"anchor", wrong.anchor},
          {"others", wrong.others},
          {"runbook", text_or_null(wrong.runbook)},
          {"command", text_or_null(wrong.command)}};
}

json to_json(const ReportCause& cause) {
  json databases = json::array();
  for (const std::string& name : cause.databases)
    if (!name.empty()) databases.push_back(name);
  json stops = json::array();
  for (const ReportStopped& stopped : cause.stops)
    stops.push_back({{"database", text_or_null(stopped.database)},
                     {"collector", stopped.collector},
                     {"failing", stopped.failing},
                     {"objects", stopped.objects}});
  return {{"state", std::string(name_of(cause.state))},
          {"reason", std::string(name_of(cause.reason))},
          {"anchor", cause.anchor},
          {"out_of_reach", cause.unreachable},
          {"title", cause.title},
          {"keeps", cause.keeps},
          {"words", text_or_null(cause.words)},
          {"since", time_or_null(cause.since)},
          {"databases", std::move(databases)},
          {"relations", cause.relations},
          {"stops", std::move(stops)}};
}

json to_json(const HistoryEntry& change) {
  return {{"time", format_utc(change.time)},
          {"kind", change.kind},
          {"database", text_or_null(change.database)},
          {"subject", text_or_null(change.subject)},
          {"others", change.others},
          {"from", text_or_null(change.from)},
          {"to", text_or_null(change.to)},
          {"reason", text_or_null(change.reason)},
          {"evidence_time", time_or_null(change.evidence_time)},
          {"text", text_or_null(change.text)}};
}

json to_json(const std::optional<ReportHistory>& history) {
  if (!history) return nullptr;
  return {{"number", history->number},
          {"sha256", text_or_null(history->hash)},
          {"begins", history->begins > 0 ? json(format_utc(history->begins)) : json(nullptr)}};
}

json first_pass(const ReportCollector& collector) {
  if (!collector.first_pass) return nullptr;
  const bool known = collector.pass_known > 0;
  return {{"looked_at", known ? json(collector.pass_done) : json(nullptr)},
          {"of", known ? json(collector.pass_known) : json(nullptr)}};
}

json to_json(const ReportCollector& collector) {
  json objects = json::array();
  for (const ReportObject& object : collector.objects) objects.push_back(to_json(object));
  return {{"collector", collector.name},
          {"section", collector.section},
          {"anchor", collector.anchor},
          {"question", std::string(name_of(collector.question))},
          {"state", std::string(name_of(collector.state))},
          {"applicable", collector.applicable},
          {"last_complete_pass", time_or_null(collector.last_success)},
          {"failure", collector.failure ? json(*collector.failure) : json(nullptr)},
          {"cause", collector.cause ? json(*collector.cause) : json(nullptr)},
          {"first_pass", first_pass(collector)},
          {"interval_seconds", collector.interval.count()},
          {"excluded", collector.excluded},
          {"counts", to_json(collector.counts)},
          {"objects", std::move(objects)}};
}

json to_json(const ReportDatabase& database) {
  json questions = json::object();
  for (const ReportQuestion& question : database.questions)
    questions[std::string(name_of(question.question))] = {
        {"state", std::string(name_of(question.state))},
        {"reason", question.reason ? json(std::string(name_of(*question.reason))) : json(nullptr)},
        {"configured", question.configured},
        {"counts", to_json(question.counts)},
        {"oldest_evidence", time_or_null(question.oldest_evidence)},
        {"collectors_in_first_pass", question.first_passes},
        {"collectors_failing", question.failing}};
  json collectors = json::array();
  for (const ReportCollector& collector : database.collectors)
    collectors.push_back(to_json(collector));
  return {{"database", text_or_null(database.name)},
          {"state", std::string(name_of(database.state))},
          {"out_of_reach", database.out_of_reach},
          {"questions", std::move(questions)},
          {"collectors", std::move(collectors)}};
}

}  // namespace

std::string report_as_json(const Report& report) {
  json servers = json::array();
  for (const ReportServer& server : report.servers) {
    json databases = json::array();
    for (const ReportDatabase& database : server.databases)
      if (!database.collectors.empty() || !database.questions.empty())
        databases.push_back(to_json(database));
    json wrong = json::array();
    for (const ReportWrong& one : server.wrong) wrong.push_back(to_json(one));
    json causes = json::array();
    for (const ReportCause& cause : server.causes) causes.push_back(to_json(cause));
    json not_watched = json::array();
    for (const ReportUnwatched& unwatched : server.not_watched)
      not_watched.push_back({{"collector", unwatched.collector},
                             {"section", unwatched.section},
                             {"hint", unwatched.hint},
                             {"snippet", text_or_null(unwatched.snippet)}});
    json changes = json::array();
    for (const HistoryEntry& change : server.changes) changes.push_back(to_json(change));
    servers.push_back({{"server", server.name},
                       {"state", std::string(name_of(server.state))},
                       {"version", text_or_null(server.version)},
                       {"role", text_or_null(server.role)},
                       {"system_identifier", text_or_null(server.system_identifier)},
                       {"wrong", std::move(wrong)},
                       {"causes", std::move(causes)},
                       {"databases", std::move(databases)},
                       {"not_watched", std::move(not_watched)},
                       {"changes", std::move(changes)}});
  }
  const json document{{"format", kFormat},
                      {"made_at", format_utc(report.made_at)},
                      {"exporter", report.exporter},
                      {"overall", std::string(name_of(report.overall))},
                      {"headline", headline(report)},
                      {"counts", to_json(report.counts)},
                      {"oldest_evidence", time_or_null(report.oldest_evidence)},
                      {"newest_evidence", time_or_null(report.newest_evidence)},
                      {"history", to_json(report.history)},
                      {"servers", std::move(servers)}};
  // The document is ASCII, so that no name can turn text around in a terminal.
  return document.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

}  // namespace pg_integrity
