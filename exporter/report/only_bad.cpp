// Leaves out of the report what needs nobody.
#include <vector>

#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

bool is_bad(State state) {
  return state == State::violated || state == State::unproven;
}

void keep_bad(ReportDatabase& database) {
  std::erase_if(database.questions,
                [](const ReportQuestion& question) { return !is_bad(question.state); });
  for (ReportCollector& collector : database.collectors)
    std::erase_if(collector.objects,
                  [](const ReportObject& object) { return !is_bad(object.state); });
  std::erase_if(database.collectors, [](const ReportCollector& collector) {
    return !is_bad(collector.state) && !collector.failure && collector.objects.empty();
  });
}

}  // namespace

Report only_bad(Report report) {
  for (ReportServer& server : report.servers) {
    server.not_watched.clear();
    // Limits come last, so the indexes of the others stay.
    std::erase_if(server.causes, [](const ReportCause& cause) { return !is_bad(cause.state); });
    for (ReportDatabase& database : server.databases) keep_bad(database);
    std::erase_if(server.databases, [](const ReportDatabase& database) {
      return !database.out_of_reach && database.questions.empty() && database.collectors.empty();
    });
  }
  std::erase_if(report.servers,
                [](const ReportServer& server) { return server.databases.empty(); });
  return report;
}

}  // namespace pg_integrity
