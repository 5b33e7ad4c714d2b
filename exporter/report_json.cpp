#include <nlohmann/json.hpp>

#include "exporter/clock.h"
#include "exporter/report.h"

namespace pg_integrity {

namespace {

using json = nlohmann::ordered_json;

json time_or_null(const std::optional<UnixTime>& time) {
  return time ? json(format_utc(*time)) : json(nullptr);
}

json to_json(const ReportObject& object) {
  return {{"object", object.name},
          {"anchor", object.anchor},
          {"state", std::string(name_of(object.state))},
          {"reason", object.reason ? json(std::string(name_of(*object.reason))) : json(nullptr)},
          {"evidence_time", time_or_null(object.evidence_time)},
          {"findings", object.findings},
          {"evidence", object.lines},
          {"values", object.values}};
}

json to_json(const ReportCollector& collector) {
  json objects = json::array();
  for (const ReportObject& object : collector.objects) objects.push_back(to_json(object));
  return {{"collector", collector.name},
          {"section", collector.section},
          {"state", std::string(name_of(collector.state))},
          {"applicable", collector.applicable},
          {"last_complete_pass", time_or_null(collector.last_success)},
          {"failure", collector.failure ? json(*collector.failure) : json(nullptr)},
          {"interval_seconds", collector.interval.count()},
          {"excluded", collector.excluded},
          {"objects", std::move(objects)}};
}

json to_json(const ReportDatabase& database) {
  json questions = json::object();
  for (const ReportQuestion& question : database.questions)
    questions[std::string(name_of(question.question))] = {
        {"state", std::string(name_of(question.state))}, {"configured", question.configured}};
  json collectors = json::array();
  for (const ReportCollector& collector : database.collectors)
    collectors.push_back(to_json(collector));
  return {{"database", database.name.empty() ? json(nullptr) : json(database.name)},
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
    json not_watched = json::array();
    for (const auto& unwatched : server.not_watched)
      not_watched.push_back({{"collector", unwatched.collector}, {"hint", unwatched.hint}});
    servers.push_back({{"server", server.name},
                       {"databases", std::move(databases)},
                       {"not_watched", std::move(not_watched)}});
  }
  const json document{{"made_at", format_utc(report.made_at)},
                      {"overall", std::string(name_of(report.overall))},
                      {"servers", std::move(servers)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace pg_integrity
