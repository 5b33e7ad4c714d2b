// A real headless Chromium, driven over a pipe with the DevTools protocol. It shows facts about a
// page that only a browser can tell.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

/// How the browser shows the page.
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

  /// Takes effect at the next open().
  void set_view(const View& view);
  /// Loads a page from scratch, whatever was open before, and waits until it is loaded.
  void open(const std::string& url);
  /// The value of a JavaScript expression. It also works when scripts of the page are off.
  nlohmann::json evaluate(const std::string& expression);
  /// The addresses to which the page has sent requests since it was opened.
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }
  /// The messages about the page on the browser's console: errors, violations of its policy, output
  /// of scripts.
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
