#include "tests/defects/matrix.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "collectors/base/metric.h"
#include "collectors/base/metric_rules.h"
#include "collectors/recovery/backup_catalogue.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

namespace {

using json = nlohmann::json;

const std::string kPrefix = "pg_integrity_";

/// The rest of a line that begins with `head`; nullopt if it does not.
std::optional<std::string> after(const std::string& line, const std::string& head) {
  if (!line.starts_with(head)) return std::nullopt;
  return line.substr(head.size());
}

/// "orphaned_rows is 1". Leaves out labels that only tell series of one object apart. Seconds are
/// whole.
std::string short_text(const json& broken) {
  const std::string name = broken.at("metric").get<std::string>().substr(kPrefix.size());
  double value = broken.at("value");
  if (name.ends_with("_seconds") && value >= 60) value = std::floor(value);
  std::ostringstream text;
  text << name << " is " << std::setprecision(value == std::floor(value) ? 15 : 6) << value;
  return text.str();
}

void add_findings(const json& object, const FindingTexts& expected, FindingTexts& found) {
  const std::string name = object.at("object");
  if (object.at("state") == "unproven")
    found.insert(name + " unproven(" + object.at("reason").get<std::string>() + ")");
  if (object.at("state") != "violated") return;
  for (const json& broken : object.at("broken")) {
    const std::string text = name + " " + short_text(broken);
    const std::string bare = text.substr(0, text.rfind(" is "));
    found.insert(expected.contains(bare) ? bare : text);
  }
}

/// The catalogue's expectation of a metric.
struct Expected {
  std::optional<double> equals;
  std::string at_least;
  std::string at_most;
};

std::map<std::string, Expected> read_catalogue() {
  std::map<std::string, Expected> metrics;
  const json document = json::parse(run({program(), "catalogue", "--format", "json"}).out);
  for (const json& metric : document.at("metrics")) {
    const json& should_be = metric.at("should_be");
    if (should_be.empty()) continue;
    Expected& expected = metrics[metric.at("name")];
    if (should_be.contains("equals")) expected.equals = should_be.at("equals").get<double>();
    expected.at_least = should_be.value("at_least", "");
    expected.at_most = should_be.value("at_most", "");
  }
  return metrics;
}

const std::map<std::string, Expected>& catalogue() {
  static const std::map<std::string, Expected> read = read_catalogue();
  return read;
}

bool is_broken(const Series& series, const Expected& expected, const PageText& page) {
  if (expected.equals) return series.value != *expected.equals;
  const auto limit = [&](const std::string& name) {
    return name.empty() ? std::nullopt : page.value(name, series.labels);
  };
  const auto least = limit(expected.at_least);
  const auto most = limit(expected.at_most);
  return (least && series.value < *least) || (most && series.value > *most);
}

/// The names that occur in the SQL or the findings of a defect, and the objects of its findings.
std::set<std::string> names_in(const Defect& defect, const std::set<std::string>& names) {
  std::set<std::string> found;
  std::string text = defect.sql;
  for (const std::string& finding : defect.findings) {
    found.insert(object_of(finding));
    text += finding + "\n";
  }
  std::string word;
  for (const char c : text + "\n") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
      continue;
    }
    if (names.contains(word)) found.insert(word);
    word.clear();
  }
  return found;
}

bool share_any(const std::set<std::string>& some, const std::set<std::string>& others) {
  return std::any_of(some.begin(), some.end(),
                     [&](const std::string& name) { return others.contains(name); });
}

}  // namespace

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

void run_psql(const std::string& dsn, const std::string& sql,
              const std::map<std::string, std::string>& environment) {
  const TemporaryDirectory directory;
  const Finished done = run({"psql", "-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d",
                             dsn, "-f", directory.write("statements", sql)},
                            {environment, {}, false});
  if (done.status != 0) throw std::runtime_error(sql + ": " + done.err);
}

std::vector<Defect> read_defects(const std::string& path) {
  std::ifstream file(path);
  std::vector<Defect> defects;
  bool in_block = false;
  for (std::string line; std::getline(file, line);) {
    const auto finding = after(line, "--> ");
    const auto late = after(line, "-->> ");
    if (line.empty()) {
      in_block = false;
    } else if (finding || late) {
      if (defects.empty()) throw std::runtime_error(path + " begins with a finding");
      Defect& defect = defects.back();
      if (late) defect.late.insert(*late);
      if (finding != "nothing") defect.findings.insert(late ? *late : *finding);
    } else if (const auto head = after(line, "-- "); head && !in_block) {
      in_block = true;
      const std::size_t colon = head->find(": ");
      const std::string name = head->substr(0, colon);
      // Anything else is a heading.
      if (colon != std::string::npos && name.find(' ') == std::string::npos)
        defects.push_back({name, {}, {}});
    } else if (!defects.empty()) {
      defects.back().sql += line + "\n";
    }
  }
  return defects;
}

std::vector<Shop> spread(const std::vector<Defect>& defects, const std::set<std::string>& names) {
  std::vector<Shop> shops;
  std::vector<std::set<std::string>> taken;
  for (const Defect& defect : defects) {
    const std::set<std::string> touched = names_in(defect, names);
    std::size_t at = defect.findings.empty() ? shops.size() : 0;
    while (at < shops.size() &&
           (shops[at].defects.front().findings.empty() || share_any(taken[at], touched)))
      ++at;
    if (at == shops.size()) {
      shops.push_back({"shop_" + std::to_string(at + 1), {}});
      taken.emplace_back();
    }
    shops[at].defects.push_back(defect);
    taken[at].insert(touched.begin(), touched.end());
  }
  return shops;
}

std::map<std::string, FindingTexts> findings_of(const std::string& report,
                                                const FindingTexts& expected) {
  std::map<std::string, FindingTexts> found;
  const json document = json::parse(report);
  for (const json& server : document.at("servers"))
    for (const json& database : server.at("databases")) {
      const json& name = database.at("database");
      FindingTexts& texts = found[name.is_null() ? "" : name.get<std::string>()];
      for (const json& collector : database.at("collectors"))
        for (const json& object : collector.at("objects")) add_findings(object, expected, texts);
    }
  return found;
}

std::map<std::string, std::set<std::string>> broken_on(const PageText& page) {
  std::map<std::string, std::set<std::string>> broken;
  for (const Series& series : page.series()) {
    const auto expected = catalogue().find(series.name);
    if (expected == catalogue().end() || !is_broken(series, expected->second, page)) continue;
    const auto database = series.labels.find("database");
    broken[database == series.labels.end() ? "" : database->second].insert(
        series.name.substr(kPrefix.size()));
  }
  return broken;
}

std::string object_of(const std::string& finding) {
  return finding.substr(0, finding.find(' '));
}

std::string metric_of(const std::string& finding) {
  const std::string text = finding.substr(finding.find(' ') + 1);
  return text.starts_with("unproven(") ? "" : text.substr(0, text.find(' '));
}

bool is_in_catalogue(const std::string& metric) {
  return catalogue().contains(kPrefix + metric);
}

}  // namespace pg_integrity::test
