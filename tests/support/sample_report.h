// A report with one collector's objects, and names that an attacker might choose.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/history/history.h"
#include "exporter/report/report.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test {

/// The objects of the only collector of the only database.
inline const std::vector<ReportObject>& objects(const Report& report) {
  return report.servers.at(0).databases.at(1).collectors.at(0).objects;
}

/// Names that a database may hold, as an attacker might choose them.
inline const std::vector<std::string> kHostile{"<script>alert(1)</script>",
                                               "\"><img src=x onerror=alert(1)>",
                                               "a|b",
                                               "a`b`c",
                                               "a\nb\r\n# c",
                                               "[x](http://127.0.0.1/)",
                                               "**bold**",
                                               "&lt;script&gt;",
                                               "\x1b[2J\x07",
                                               "\u009b2J",
                                               "a\\|b",
                                               "\xff\xfe",
                                               "' onmouseover='x",
                                               "{{ 1 }}",
                                               "javascript:x",
                                               "http://127.0.0.1/x",
                                               "WWW.example.com",
                                               "$x$",
                                               "right \u202e to left"};

class ReportOf : public ::testing::Test, public SampleEvidence {
 protected:
  using SampleEvidence::SampleEvidence;
  [[nodiscard]] Report report() const { return make_report(*evidence->snapshot(), clock); }
  /// With hostile names in its history, too.
  Report hostile_report() {
    add();
    History history(false);
    history.look(*evidence->snapshot(), clock);
    pass([](Batch& out) {
      for (const std::string& name : kHostile) {
        out.set(kBad, 1, name);
        out.evidence(kBad, "line of " + name, name);
      }
    });
    evidence->failed(id, SourceError(Reason::server, "no <b>such</b> | thing\nas `that`"));
    history.look(*evidence->snapshot(), clock);
    const HistoryView view = history.view();
    return make_report(*evidence->snapshot(), clock, {&view, {}});
  }
  static const ReportObject& object(const Report& of, const std::string& name) {
    for (const ReportObject& one : objects(of))
      if (one.name == name) return one;
    throw std::runtime_error("no object " + name);
  }
};

/// A collector that does not run, with its hint.
inline ServerOptions with_unwatched() {
  ServerOptions options;
  options.not_watched.push_back({&kSampleSpec, "add [[server.samples]] with name = \"<x>\""});
  return options;
}

/// Counts how often `what` occurs in `text`.
inline std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace pg_integrity::test
