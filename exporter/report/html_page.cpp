#include <algorithm>
#include <array>

#include "collectors/base/instant.h"
#include "collectors/base/units.h"
#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/html_escape.h"
#include "exporter/report/html_style.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

// Bounds that let the browser of a phone cope with the page. /report.json has everything.
constexpr std::size_t kMostBytes = 700'000;  // of all objects
constexpr std::size_t kMostNeedy = 500;      // objects of a state and collector
constexpr std::size_t kMostGood = 100;       // the same, of states that need nobody
constexpr std::size_t kMostTexts = 20;       // findings, lines or values of an object

// Reloads the page while a first pass is under way. It names the address, because a browser only
// scrolls if it reloads the page's own address with a fragment.
constexpr const char* kRefresh = "<meta http-equiv=\"refresh\" content=\"10; url=/\">\n";

std::string_view sign(State state) {
  constexpr std::array<std::string_view, 6> kSigns{"✓", "✗", "?", "!", "·", "–"};
  return kSigns.at(static_cast<std::size_t>(state));
}

/// The state as a sign and a word. The colour comes from the class around it.
std::string state_text(State state) {
  return "<span aria-hidden=\"true\">" + std::string(sign(state)) + "</span> " +
         std::string(name_of(state));
}

std::string state_span(State state) {
  return "<span class=\"state " + std::string(name_of(state)) + "\">" + state_text(state) +
         "</span>";
}

std::string answer_span(const ReportQuestion& question) {
  return "<span class=\"state " + std::string(name_of(question.state)) +
         "\"><span aria-hidden=\"true\">" + std::string(sign(question.state)) + "</span> " +
         answer_text(question) + "</span>";
}

std::string ago(const Report& report, UnixTime when) {
  const std::string time = format_utc(when);
  return "<time datetime=\"" + time + "\" title=\"" + time + "\">" + age_of(report, when) +
         " ago</time>";
}

bool needs_somebody(State state) {
  return state == State::violated || state == State::unproven || state == State::accepted;
}

void append_texts(std::string& out, const std::vector<std::string>& texts, std::string_view type,
                  std::string_view tag) {
  if (texts.empty()) return;
  out += "<ul class=\"" + std::string(type) + "\">";
  const std::size_t shown = std::min(texts.size(), kMostTexts);
  for (std::size_t i = 0; i < shown; ++i)
    out +=
        "<li><" + std::string(tag) + ">" + escaped(texts[i]) + "</" + std::string(tag) + "></li>\n";
  if (shown < texts.size()) out += "<li>and " + grouped(texts.size() - shown) + " more</li>\n";
  out += "</ul>\n";
}

std::string object_item(const Report& report, const ReportObject& object) {
  std::string out = "<li id=\"" + object.anchor + "\" class=\"" +
                    std::string(name_of(object.state)) + "\">" + state_span(object.state);
  if (object.reason)
    out += " <span class=\"dim\">(" + std::string(name_of(*object.reason)) + ")</span>";
  out += " <a href=\"#" + object.anchor + "\">" + named(object.name) + "</a> <span class=\"dim\">";
  out += object.evidence_time ? "evidence " + ago(report, *object.evidence_time)
                              : std::string("no evidence yet");
  if (object.since)
    out += "; " + std::string(name_of(object.state)) + " for " + age_of(report, *object.since);
  out += "</span>\n";
  append_texts(out, object.findings, "findings", "span");
  append_texts(out, object.lines, "lines", "span");
  append_texts(out, object.values, "values dim", "code");
  return out + "</li>\n";
}

/// The objects that the page has room for, the worst of the whole report first.
class Selection {
 public:
  Selection(const Report& report, const std::vector<const ReportCollector*>& collectors) {
    // The text about a collector itself takes about 1 kB.
    std::size_t bytes = std::min(collectors.size() * 1'000, kMostBytes / 2);
    for (const State state : worst_first())
      for (const ReportCollector* collector : collectors) {
        std::size_t left = needs_somebody(state) ? kMostNeedy : kMostGood;
        for (const ReportObject& object : collector->objects) {
          if (object.state != state) continue;
          if (left-- == 0 || bytes > kMostBytes) break;
          items_[{collector, state}].push_back(object_item(report, object));
          bytes += items_[{collector, state}].back().size();
        }
      }
  }

  /// The chosen objects of a collector as a list. Empty if there are none.
  [[nodiscard]] std::string list(const ReportCollector& collector, bool needy) const {
    std::string items;
    for (const State state : worst_first()) {
      const auto found = items_.find({&collector, state});
      const auto count = collector.counts.find(state);
      if (needs_somebody(state) != needy || count == collector.counts.end()) continue;
      const std::size_t shown = found == items_.end() ? 0 : found->second.size();
      for (std::size_t i = 0; i < shown; ++i) items += found->second[i];
      if (shown < count->second)
        items += "<li class=\"" + std::string(name_of(state)) + "\">" + state_span(state) + " " +
                 grouped(count->second - shown) +
                 " more: all of them are in <a href=\"/report.json\">/report.json</a></li>\n";
    }
    return items.empty() ? items : "<ul class=\"objects\">\n" + items + "</ul>\n";
  }

 private:
  std::map<std::pair<const ReportCollector*, State>, std::vector<std::string>> items_;
};

std::string pass_note(const Report& report, const ReportCollector& collector) {
  if (collector.last_success)
    return "last complete pass " + ago(report, *collector.last_success) + ", every " +
           format_duration(collector.interval);
  const std::string progress = pass_progress(collector);
  if (progress.empty()) return "first pass: not complete yet";
  return "first pass: " + progress + " <progress aria-label=\"first pass of " +
         escaped(collector.name) + "\" value=\"" + std::to_string(collector.pass_done) +
         "\" max=\"" + std::to_string(collector.pass_known) + "\"></progress>";
}

/// "3 proven, 2 observed"
std::string good_counts(const ReportCollector& collector) {
  StateCounts good = collector.counts;
  std::erase_if(good, [](const auto& count) { return needs_somebody(count.first); });
  return counts_text(good);
}

void append_collector(std::string& out, const Report& report, const ReportCollector& collector,
                      const Selection& selection) {
  const std::string place = collector.database.empty()
                                ? std::string("&middot; the whole server")
                                : "&middot; database " + named(collector.database);
  const std::string head = state_span(collector.state) + " <h3>" + escaped(collector.section) +
                           "</h3> <span class=\"dim\">" + place + "</span>";
  std::string note = "<p class=\"dim\">" + escaped(collector.summary) + " (<code>" +
                     escaped(collector.name) +
                     "</code>): " + counts_text(collector.counts, collector.excluded) + "; " +
                     pass_note(report, collector) + "</p>\n";
  if (collector.failure)
    note += "<p class=\"unproven\"><span class=\"state\">newest attempt failed:</span> " +
            escaped(*collector.failure) + "</p>\n";
  const std::string needy = selection.list(collector, true);
  const std::string good = selection.list(collector, false);
  out += "<section class=\"collector\" id=\"" + collector.anchor + "\">\n";
  if (needs_somebody(collector.state) || collector.failure || !needy.empty()) {
    out += head + "\n" + note + needy;
    if (!good.empty())
      out += "<details><summary>" + good_counts(collector) + "</summary>\n" + good + "</details>\n";
  } else {
    out += "<details><summary>" + head + " <span class=\"dim\">&middot; " +
           counts_text(collector.counts, collector.excluded) + "</span></summary>\n" + note + good +
           "</details>\n";
  }
  out += "</section>\n";
}

void append_answers(std::string& out, const Report& report, const ReportDatabase& database) {
  if (database.questions.empty()) return;
  out += "<h3 class=\"database\">Database " + named(database.name);
  if (database.out_of_reach)
    out +=
        " <span class=\"state violated\"><span aria-hidden=\"true\">✗</span> out of reach</span>";
  out += "</h3>\n<ul class=\"answers\">\n";
  for (const ReportQuestion& question : database.questions)
    out += "<li class=\"" + std::string(name_of(question.state)) + "\"><strong>" +
           escaped(question_text(question.question)) + "</strong> " + answer_span(question) +
           " <span class=\"dim\">" + escaped(answer_note(report, question)) + "</span></li>\n";
  out += "</ul>\n";
}

template <typename Entry>
void sort_worst_first(std::vector<const Entry*>& entries) {
  const auto urgency = [](const Entry* entry) {
    const auto states = worst_first();
    return std::find(states.begin(), states.end(), entry->state) - states.begin();
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const Entry* a, const Entry* b) { return urgency(a) < urgency(b); });
}

template <typename Entry>
std::vector<const Entry*> pointers_worst_first(const std::vector<Entry>& entries) {
  std::vector<const Entry*> all;
  for (const Entry& entry : entries) all.push_back(&entry);
  sort_worst_first(all);
  return all;
}

/// The collectors of the whole server and of all its databases.
std::vector<const ReportCollector*> collectors_of(const ReportServer& server) {
  std::vector<const ReportCollector*> all;
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors) all.push_back(&collector);
  sort_worst_first(all);
  return all;
}

void append_server(std::string& out, const Report& report, const ReportServer& server,
                   const Selection& selection) {
  out += "<h2 id=\"" + server.anchor + "\">Server " + named(server.name) + "</h2>\n";
  if (const std::string note = server_note(server); !note.empty())
    out += "<p class=\"dim\">" + escaped(note) + ", system identifier " +
           escaped(server.system_identifier) + "</p>\n";
  for (const ReportDatabase* database : pointers_worst_first(server.databases))
    append_answers(out, report, *database);
  for (const ReportCollector* collector : collectors_of(server))
    append_collector(out, report, *collector, selection);
  if (server.not_watched.empty()) return;
  out += "<section class=\"collector\">\n<h3>Not watched</h3>\n<ul class=\"hints\">\n";
  for (const ReportUnwatched& unwatched : server.not_watched)
    out += "<li>" + escaped(unwatched.section) + " (<code>" + escaped(unwatched.collector) +
           "</code>) <span class=\"dim\">HINT: " + escaped(unwatched.hint) + "</span></li>\n";
  out += "</ul>\n</section>\n";
}

std::string head(const Report& report) {
  const std::string word(name_of(report.overall));
  std::string title;
  for (const char c : word) title += static_cast<char>(c - 'a' + 'A');
  const std::string refresh = report.first_passes > 0 ? kRefresh : "";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +

         refresh + "<title>" + title + ": " + overall_note(report) +
         " - pg_integrity_exporter</title>\n<style>" + std::string(kReportStyle) +
         "</style>\n</head>\n<body>\n";
}

void append_banner(std::string& out, const Report& report) {
  out += "<header>\n<div class=\"verdict " + std::string(name_of(report.overall)) + "\"><h1>" +
         state_text(report.overall) + "</h1>\n<p>" + overall_note(report) + "</p></div>\n";
  out += "<p class=\"dim\">As of " + format_utc(report.made_at) +
         " <span class=\"links\">&middot; <a href=\"/report.md\">Markdown</a> &middot; <a "
         "href=\"/report.json\">JSON</a> &middot; <a href=\"/metrics\">metrics</a></span></p>\n";
  if (report.first_passes > 0)
    out += "<p>First look: " + grouped(report.collectors - report.first_passes) + " of " +
           grouped(report.collectors) +
           " collectors have completed a pass. <progress aria-label=\"first look\" value=\"" +
           std::to_string(report.collectors - report.first_passes) + "\" max=\"" +
           std::to_string(report.collectors) + "\"></progress></p>\n";
  if (report.servers.size() > 1) {
    out += "<nav aria-label=\"servers\"><ul>\n";
    for (const ReportServer* server : pointers_worst_first(report.servers))
      out += "<li>" + state_span(server->state) + " <a href=\"#" + server->anchor + "\">" +
             named(server->name) + "</a></li>\n";
    out += "</ul></nav>\n";
  }
  out +=
      "</header>\n<p class=\"stale\">This page is more than five minutes old: <a href=\"/\">"
      "load it anew</a>.</p>\n";
}

void append_footer(std::string& out, const Report& report) {
  out += "<footer class=\"dim\">\n<p>Made at " + format_utc(report.made_at) +
         " by pg_integrity_exporter " + escaped(report.exporter);
  if (report.oldest_evidence && report.newest_evidence)
    out += " from evidence of " + format_utc(*report.oldest_evidence) + " to " +
           format_utc(*report.newest_evidence);
  out +=
      ".</p>\n<p>Proven: observed as it should be, lately enough. Violated: observed otherwise, "
      "and not disproved since. Unproven: not seen, not lately, or not judged: no proof of "
      "anything.</p>\n</footer>\n";
}

}  // namespace

std::string_view report_policy() {
  return kReportPolicy;
}

std::string report_as_html(const Report& report) {
  std::vector<const ReportCollector*> all;
  for (const ReportServer& server : report.servers)
    for (const ReportCollector* collector : collectors_of(server)) all.push_back(collector);
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
