// The metrics page, parsed strictly as Prometheus' text format.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pg_integrity::test {

using LabelSet = std::map<std::string, std::string>;

struct Series {
  std::string name;
  LabelSet labels;
  double value = 0;
};

class PageText {
 public:
  /// @throws std::runtime_error if the text is not of this format.
  explicit PageText(const std::string& text);

  /// The value of the series with that name that has all these labels, and maybe others. Empty if
  /// there is none. Throws if there are several.
  [[nodiscard]] std::optional<double> value(const std::string& name,
                                            const LabelSet& labels = {}) const;
  [[nodiscard]] std::vector<Series> all(const std::string& name, const LabelSet& labels = {}) const;
  [[nodiscard]] const std::vector<Series>& series() const { return series_; }

 private:
  std::vector<Series> series_;
};

}  // namespace pg_integrity::test
