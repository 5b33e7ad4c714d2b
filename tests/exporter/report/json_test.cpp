// The shape of /report.json is the one that exporter/README.md promises.
#include <gtest/gtest.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "exporter/history/history.h"
#include "exporter/report/report.h"
#include "tests/support/content.h"
#include "tests/support/paths.h"
#include "tests/support/sample_report.h"

namespace pg_integrity::test::json_test {
namespace {

/// Keys and types of a document: "servers[].databases[].database: string".
void add_shape(const nlohmann::json& value, const std::string& path, std::set<std::string>& shape) {
  if (value.is_object()) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const auto& [key, field] : value.items()) add_shape(field, prefix + key, shape);
  } else if (value.is_array()) {
    for (const auto& element : value) add_shape(element, path + "[]", shape);
  } else {
    shape.insert(path + ": " + value.type_name());
  }
}

/// The fields that exporter/README.md promises, each in a row of its table.
std::set<std::string> documented_fields() {
  const std::string text = content_of(source_path("exporter/README.md"));
  const std::size_t begin = text.find("\n## report.json");
  const std::string chapter = text.substr(begin, text.find("\n## ", begin + 1) - begin);
  const std::regex field("\\n\\| `([^`]+)` \\|");
  std::set<std::string> fields;
  for (std::sregex_iterator at(chapter.begin(), chapter.end(), field), end; at != end; ++at)
    fields.insert((*at)[1]);
  return fields;
}

TEST(ReportAsJson, ItsFieldsAreTheDocumentedOnes) {
  SampleEvidence of(with_unwatched());
  of.add();
  of.evidence->pass_began(of.id);
  of.evidence->pass_at(of.id, 1, 2);
  std::set<std::string> shape;
  History history(false);
  const auto look = [&] {
    history.look(*of.evidence->snapshot(), of.clock);
    const HistoryView view = history.view();
    const std::string text =
        report_as_json(make_report(*of.evidence->snapshot(), of.clock, {&view, {}}));
    add_shape(nlohmann::json::parse(text), "", shape);
  };
  look();
  of.pass([](Batch& out) {
    out.set(kBad, 1, std::string("bad"));
    out.evidence(kBad, "a line", std::string("bad"));
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
    out.attempt(kBad, {std::string("locked")}, [] {
      throw SourceError(Reason::lock, "no time").because_of({{"public", "t"}});
    });
  });
  of.fail(Reason::server);
  look();
  std::set<std::string> fields;
  for (const std::string& line : shape) {
    std::string path = line.substr(0, line.find(": "));
    // A field for each question and state.
    path = std::regex_replace(path, std::regex("questions\\.(intact|recoverable|service)"),
                              "questions.QUESTION");
    path = std::regex_replace(
        path, std::regex("counts\\.(violated|unproven|accepted|limited|proven|observed)"),
        "counts.STATE");
    path = std::regex_replace(path, std::regex("labels\\.thing$"), "labels.LABEL");
    // Null, or an object with fields of its own.
    if (!path.ends_with(".first_pass") && path != "history") fields.insert(path);
  }
  EXPECT_EQ(fields, documented_fields());
}

}  // namespace
}  // namespace pg_integrity::test::json_test
