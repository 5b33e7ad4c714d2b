#include "tests/support/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace pg_integrity::test {

namespace {

using nlohmann::json;

constexpr int kPatience = 60'000;  // milliseconds for one message

/// Makes a named pipe and opens both of its ends at once, so that opening never blocks.
int open_pipe(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make " + path);
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

}  // namespace

Browser::Browser()
    : to_(open_pipe(directory_.path() + "/to")), from_(open_pipe(directory_.path() + "/from")) {
  // Chromium has no sandbox for root, and containers have hardly any /dev/shm.
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "sh", "-c", R"(cd "$0" && exec "$@" 3<to 4>from)", directory_.path(), "chromium",
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--disable-breakpad", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--no-first-run", "--no-proxy-server", "--hide-scrollbars",
      "--remote-debugging-pipe", "--user-data-dir=" + directory_.path() + "/profile",
      "about:blank"});
  const json target = command("Target.createTarget", {{"url", "about:blank"}});
  session_ = command("Target.attachToTarget", {{"targetId", target["targetId"]}, {"flatten", true}})
                 .at("sessionId");
  for (const char* domain : {"Page", "Runtime", "Log", "Network"})
    command(std::string(domain) + ".enable");
  set_view({});
}

Browser::~Browser() {
  process_->signal(SIGTERM);
  process_->wait_for(std::chrono::seconds(10));
  process_.reset();
  ::close(to_);
  ::close(from_);
}

void Browser::set_view(const View& view) {
  command("Emulation.setDeviceMetricsOverride", {{"width", view.width},
                                                 {"height", view.height},
                                                 {"deviceScaleFactor", 1},
                                                 {"mobile", view.width < 600}});
  command(
      "Emulation.setEmulatedMedia",
      {{"media", view.media},
       {"features", json::array({{{"name", "prefers-color-scheme"}, {"value", view.scheme}}})}});
  command("Emulation.setScriptExecutionDisabled", {{"value", !view.scripts}});
}

void Browser::open(const std::string& url) {
  // The page is opened from about:blank. From the same page, another fragment would only scroll.
  for (const std::string& page : {std::string("about:blank"), url}) {
    loaded_ = false;
    requests_.clear();
    complaints_.clear();
    const json answer = command("Page.navigate", {{"url", page}});
    if (answer.contains("errorText"))
      throw std::runtime_error(page + ": " + answer.at("errorText").get<std::string>());
    wait_until_loaded();
  }
}

json Browser::evaluate(const std::string& expression) {
  const json answer =
      command("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}});
  if (answer.contains("exceptionDetails"))
    throw std::runtime_error(expression + ": " + answer["exceptionDetails"].dump());
  return answer.at("result").value("value", json());
}

json Browser::command(const std::string& method, const json& parameters) {
  json message{{"id", ++commands_}, {"method", method}};
  if (!parameters.is_null()) message["params"] = parameters;
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t written = ::write(to_, text.data() + sent, text.size() - sent);
    if (written < 0) throw std::runtime_error("the browser cannot be written to");
    sent += static_cast<std::size_t>(written);
  }
  for (;;) {
    const json answer = next_message();
    if (answer.value("id", 0) != commands_) {
      note(answer);
      continue;
    }
    if (answer.contains("error")) throw std::runtime_error(method + ": " + answer["error"].dump());
    return answer.at("result");
  }
}

void Browser::wait_until_loaded() {
  while (!loaded_) note(next_message());
}

json Browser::next_message() {
  std::size_t end = 0;
  while ((end = received_.find('\0')) == std::string::npos) {
    pollfd ready{from_, POLLIN, 0};
    if (::poll(&ready, 1, kPatience) != 1)
      throw std::runtime_error("the browser does not answer: " + process_->err());
    std::array<char, 65536> piece{};
    const ssize_t length = ::read(from_, piece.data(), piece.size());
    if (length <= 0) throw std::runtime_error("the browser cannot be read from");
    received_.append(piece.data(), static_cast<std::size_t>(length));
  }
  json message = json::parse(received_.substr(0, end));
  received_.erase(0, end + 1);
  return message;
}

void Browser::note(const json& event) {
  const std::string method = event.value("method", "");
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Network.requestWillBeSent") requests_.push_back(event["params"]["request"]["url"]);
  if (method == "Log.entryAdded" || method == "Runtime.exceptionThrown" ||
      method == "Runtime.consoleAPICalled")
    complaints_.push_back(event["params"].dump());
}

}  // namespace pg_integrity::test
