#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collectors/base/instant.h"
#include "collectors/base/units.h"
#include "collectors/registry.h"
#include "exporter/evidence/spoken.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/html_escape.h"
#include "exporter/report/html_objects.h"
#include "exporter/report/html_style.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"
#include "exporter/report/report_history.h"

namespace pg_integrity {

namespace {

// Reloads the page while a first pass is under way. It names the address, because a browser only
// scrolls if it reloads the page's own address with a fragment.
constexpr const char* kRefresh = "<meta http-equiv=\"refresh\" content=\"10; url=/\">\n";

// In the header, and in the footer for phones, whose first screen has no room for it.
constexpr const char* kLegend =
    R"(<p class="dim legend"><strong class="state proven">proven</strong> observed as it should be, lately)"
    R"( enough &middot; <strong class="state violated">violated</strong> observed otherwise, and not)"
    R"( disproved since &middot; <strong class="state unproven">unproven</strong> not seen, not)"
    " lately, or not judged: no proof of anything</p>\n";
constexpr std::size_t kNamedServers = 3;

/// "server shop", "servers shop, stock, bank and 4 more"
/// @param shown makes HTML of a name.
std::string servers_in_words(const Report& report, std::string (*shown)(std::string_view)) {
  if (report.servers.empty()) return "no server";
  if (report.servers.size() == 1) return "server " + shown(report.servers.front().name);
  std::string names;
  for (std::size_t i = 0; i < std::min(report.servers.size(), kNamedServers); ++i)
    names += (i == 0 ? "" : ", ") + shown(report.servers[i].name);
  if (report.servers.size() > kNamedServers)
    names += fmt::format(" and {} more", report.servers.size() - kNamedServers);
  return "servers " + names;
}

std::string answer_span(const ReportQuestion& question) {
  return fmt::format(R"(<span class="state {}"><span aria-hidden="true">{}</span> {}</span>)",
                     name_of(question.state), sign(question.state), answer_text(question));
}

std::string pass_note(const Report& report, const ReportCollector& collector) {
  if (collector.last_success)
    return fmt::format("last complete pass {}, every {}", ago(report, *collector.last_success),
                       format_duration(collector.interval));
  const std::string progress = pass_progress(collector);
  if (progress.empty()) return "first pass: not complete yet";
  return fmt::format(
      R"(first pass: {} <progress aria-label="first pass of {}" value="{}" max="{}"></progress>)",
      progress, escaped(collector.name), collector.pass_done, collector.pass_known);
}

/// "3 proven, 2 observed"
std::string good_counts(const ReportCollector& collector) {
  StateCounts good = collector.counts;
  std::erase_if(good, [](const auto& count) { return needs_somebody(count.first); });
  return counts_text(good);
}

void append_collector(std::string& out, const Report& report, const PlacedCollector& placed,
                      const Selection& selection) {
  const ReportCollector& collector = *placed.collector;
  const std::string place = collector.database.empty()
                                ? std::string("&middot; the whole server")
                                : "&middot; database " + named(collector.database);
  const std::string head =
      fmt::format(R"({} <h3>{}</h3> <span class="dim">{}</span>)", state_span(collector.state),
                  escaped(collector.section), place);
  const std::string counts = counts_text(collector.counts, collector.excluded);
  std::string note =
      fmt::format("<p class=\"dim\">{} (<code>{}</code>): {}; {}</p>\n", escaped(collector.summary),
                  escaped(collector.name), counts, pass_note(report, collector));
  if (collector.cause)
    note += fmt::format(
        "<p class=\"unproven\"><span class=\"state\">newest attempt failed</span>{}</p>\n",
        cause_link(*placed.server, collector.cause));
  const std::string needy = selection.list(collector, true);
  const std::string good = selection.list(collector, false);
  out += fmt::format("<section class=\"collector\" id=\"{}\">\n", collector.anchor);
  if (needs_somebody(collector.state) || !needy.empty()) {
    out += head + "\n" + note + needy;
    if (!good.empty())
      out += fmt::format("<details><summary>{}</summary>\n{}</details>\n", good_counts(collector),
                         good);
  } else {
    out += fmt::format(
        "<details><summary>{} <span class=\"dim\">&middot; {}</span></summary>\n{}{}</details>\n",
        head, counts, note, good);
  }
  out += "</section>\n";
}

std::string linked_question(const ReportQuestion& question) {
  const std::string text(question_text(question.question));
  return question.anchor.empty() ? text
                                 : fmt::format(R"(<a href="#{}">{}</a>)", question.anchor, text);
}

void append_answers(std::string& out, const Report& report, const ReportDatabase& database) {
  if (database.questions.empty()) return;
  out += "<h3 class=\"database\">Database " + named(database.name);
  if (database.out_of_reach)
    out +=
        " <span class=\"state violated\"><span aria-hidden=\"true\">✗</span> out of reach</span>";
  out += "</h3>\n<ul class=\"answers\">\n";
  for (const ReportQuestion& question : database.questions)
    out +=
        fmt::format("<li class=\"{}\"><strong>{}</strong> {} <span class=\"dim\">{}</span></li>\n",
                    name_of(question.state), linked_question(question), answer_span(question),
                    escaped(answer_note(report, question)));
  out += "</ul>\n";
}

template <typename Entry>
std::vector<const Entry*> pointers_worst_first(const std::vector<Entry>& entries) {
  std::vector<const Entry*> all;
  for (const Entry& entry : entries) all.push_back(&entry);
  std::stable_sort(all.begin(), all.end(), [](const Entry* a, const Entry* b) {
    return urgency(a->state) < urgency(b->state);
  });
  return all;
}

/// The collectors of the whole server and of all its databases.
std::vector<PlacedCollector> collectors_of(const ReportServer& server) {
  std::vector<PlacedCollector> all;
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      all.push_back({&server, &collector});
  std::stable_sort(all.begin(), all.end(), [](const PlacedCollector& a, const PlacedCollector& b) {
    return urgency(a.collector->state) < urgency(b.collector->state);
  });
  return all;
}

/// Nothing is added if the list is empty.
void append_list(std::string& out, std::string_view title, const std::string& list) {
  if (list.empty()) return;
  out += fmt::format("<section class=\"collector\">\n<h3>{}</h3>\n{}</section>\n", title, list);
}

void append_server(std::string& out, const Report& report, const ReportServer& server,
                   const Selection& selection) {
  out += fmt::format("<h2 id=\"{}\">Server {}</h2>\n", server.anchor, named(server.name));
  if (const std::string note = server_note(server); !note.empty())
    out += fmt::format("<p class=\"dim\">{}, system identifier {}</p>\n", escaped(note),
                       escaped(server.system_identifier));
  for (const ReportDatabase* database : pointers_worst_first(server.databases))
    append_answers(out, report, *database);
  append_list(out, "What is wrong", wrong_list(report, server));
  append_list(out, "What could not be checked, and why", cause_list(report, server));
  append_list(out, "Since yesterday", change_list(report, server));
  append_list(out, "Not watched", unwatched_list(server));
  for (const PlacedCollector& collector : collectors_of(server))
    append_collector(out, report, collector, selection);
}

std::string head(const Report& report) {
  const std::string word(name_of(report.overall));
  std::string title;
  for (const char c : word) title += static_cast<char>(c - 'a' + 'A');
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "{}<title>{}: {} - {} - pg_integrity_exporter</title>\n<style>{}</style>\n</head>\n<body>\n",
      report.first_passes > 0 ? kRefresh : "", title, servers_in_words(report, escaped),
      overall_note(report), kReportStyle);
}

void append_banner(std::string& out, const Report& report) {
  out += fmt::format(
      "<header>\n<div class=\"verdict {}\"><p>pg_integrity_exporter &middot; {}</p>\n"
      "<h1>{}</h1>\n<p><strong>{}</strong></p>\n<p>{}</p></div>\n",
      name_of(report.overall), servers_in_words(report, named), state_text(report.overall),
      escaped(headline(report)), overall_note(report));
  out += kLegend;
  out += fmt::format(
      "<p class=\"dim\">As of {} <span class=\"links\">&middot; "
      "<a href=\"/report.md\">Markdown</a> &middot; <a href=\"/report.json\">JSON</a> &middot; "
      "<a href=\"/metrics\">metrics</a></span></p>\n",
      format_utc(report.made_at));
  if (const std::size_t passed = report.collectors - report.first_passes; report.first_passes > 0)
    out += fmt::format(
        "<p>First look: {} of {} collectors have completed a pass. "
        "<progress aria-label=\"first look\" value=\"{}\" max=\"{}\"></progress></p>\n",
        grouped(passed), grouped(report.collectors), passed, report.collectors);
  if (report.servers.size() > 1) {
    out += "<nav aria-label=\"servers\"><ul>\n";
    for (const ReportServer* server : pointers_worst_first(report.servers))
      out += fmt::format("<li>{} <a href=\"#{}\">{}</a></li>\n", state_span(server->state),
                         server->anchor, named(server->name));
    out += "</ul></nav>\n";
  }
  out +=
      "</header>\n<p class=\"stale\">This page is more than five minutes old: <a href=\"/\">"
      "load it anew</a>.</p>\n";
}

void append_footer(std::string& out, const Report& report) {
  out += fmt::format("<footer class=\"dim\">\n<p>Made at {} by pg_integrity_exporter {}",
                     format_utc(report.made_at), escaped(report.exporter));
  if (report.oldest_evidence && report.newest_evidence)
    out += fmt::format(" from evidence of {} to {}", format_utc(*report.oldest_evidence),
                       format_utc(*report.newest_evidence));
  if (report.history) out += fmt::format(". {}", escaped(history_text(*report.history)));
  out += fmt::format(".</p>\n{}</footer>\n", kLegend);
}

}  // namespace

std::string_view report_policy() {
  return kReportPolicy;
}

std::string report_as_html(const Report& report) {
  std::vector<PlacedCollector> all;
  for (const ReportServer& server : report.servers)
    for (const PlacedCollector& collector : collectors_of(server)) all.push_back(collector);
  const Selection selection(report, all);
  std::string out = head(report);
  append_banner(out, report);
  out += "<main>\n";
  for (const ReportServer* server : pointers_worst_first(report.servers))
    append_server(out, report, *server, selection);
  out += "</main>\n";
  append_footer(out, report);
  return out + "</body>\n</html>\n";
}

}  // namespace pg_integrity
