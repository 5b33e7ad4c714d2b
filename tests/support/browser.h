// A real Chromium without a window, spoken to in the DevTools protocol over a pipe: what only a
// browser can tell of a page.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

/// How the reader looks at the page.
struct View {
  int width = 1280;
  int height = 900;
  std::string scheme = "light";  ///< prefers-color-scheme
  std::string media = "screen";  ///< or "print"
  bool scripts = true;
};

class Browser {
 public:
  Browser();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// From the next open() on.
  void set_view(const View& view);
  /// Loads a page anew, whatever was there before, and waits for it.
  void open(const std::string& url);
  /// The value of a JavaScript expression; works without scripts of the page, too.
  nlohmann::json evaluate(const std::string& expression);
  /// Where the page has sent requests since it was opened.
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }
  /// What the browser's console says of it: errors, violations of its policy, messages.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  nlohmann::json command(const std::string& method, const nlohmann::json& parameters = {});
  void wait_until_loaded();
  nlohmann::json next_message();
  void note(const nlohmann::json& event);

  TemporaryDirectory directory_;
  int to_ = -1;
  int from_ = -1;
  std::unique_ptr<Process> process_;
  std::string received_;
  std::string session_;
  int commands_ = 0;
  bool loaded_ = false;
  std::vector<std::string> requests_;
  std::vector<std::string> complaints_;
};

}  // namespace pg_integrity::test
