// What the HTTP server shows, as functions. They run on its threads and must be safe there.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "exporter/metrics/page.h"

namespace pg_integrity {

struct HttpHandlers {
  std::function<Page(bool gzip)> metrics;
  std::function<std::string()> report_html;
  std::string report_policy;  ///< Content-Security-Policy of report_html
  std::function<std::string()> report_markdown;
  std::function<std::string()> report_json;
  /// Identifies what the reports show now. While it stays the same, a report is made once. Empty: a
  /// report is made for each request.
  std::function<std::shared_ptr<const void>()> edition;
  std::function<bool()> ready;
  std::function<bool()> reload;  ///< POST /-/reload; empty: not offered. @return it succeeded
};

}  // namespace pg_integrity
