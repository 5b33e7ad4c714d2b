#include "exporter/commands/web_access.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "exporter/config/web_config.h"
#include "exporter/http/tls_context.h"

namespace pg_integrity {

namespace {

constexpr Seconds kForWebFiles{5};
constexpr Seconds kBetweenWebLooks{2};

}  // namespace

WebAccess::WebAccess(std::string path, HttpServer& server, const WaitableClock& clock,
                     DisposableWorkers& workers)
    : path_(std::move(path)), server_(server), clock_(clock), workers_(workers) {
  const MutexLock lock(files_->mutex);
  files_->of_newest_reading = {path_};
}

std::vector<std::string> WebAccess::read() {
  if (path_.empty()) return {};
  const MutexLock one(one_at_a_time_);
  try {
    ReadWebConfig read =
        workers_.run<ReadWebConfig>("web configuration " + path_, clock_.now() + kForWebFiles,
                                    [path = path_] { return read_web_config(path); });
    if (auto* faults = std::get_if<std::vector<std::string>>(&read)) return std::move(*faults);
    auto& config = std::get<WebConfig>(read);
    server_.use(config);
    const MutexLock lock(files_->mutex);
    files_->of_newest_reading = std::move(config.files);
    return {};
  } catch (const std::exception& error) {
    return {fmt::format("{}: {}", path_, error.what())};
  }
}

void WebAccess::watch(std::function<void(const std::vector<std::string>& faults)> done) {
  if (path_.empty()) return;
  watch_ = std::make_unique<FolderWatch>(
      "web configuration " + path_,
      [files = files_] {
        const MutexLock lock(files->mutex);
        return files->of_newest_reading;
      },
      kBetweenWebLooks, clock_, workers_, [this, done = std::move(done)] { done(read()); });
}

std::vector<std::string> faults_of_web_config(const std::string& path) {
  ReadWebConfig read = read_web_config(path);
  if (auto* faults = std::get_if<std::vector<std::string>>(&read)) return std::move(*faults);
  try {
    if (const auto& tls = std::get<WebConfig>(read).tls) static_cast<void>(TlsContext(*tls));
  } catch (const std::exception& error) {
    return {fmt::format("{}: {}", path, error.what())};
  }
  return {};
}

}  // namespace pg_integrity
