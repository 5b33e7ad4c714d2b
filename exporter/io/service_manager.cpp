#include "exporter/io/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "exporter/io/descriptor.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

constexpr double kSignsOfLife = 3;  ///< in the time that the watchdog allows

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

std::optional<long long> number_of(std::string_view text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

/// @return nothing if systemd expects no signs of life, or expects them of another process.
std::optional<Seconds> time_between_signs() {
  const auto microseconds = number_of(variable("WATCHDOG_USEC"));
  const std::string_view pid = variable("WATCHDOG_PID");
  if (!microseconds || (!pid.empty() && number_of(pid) != ::getpid())) return std::nullopt;
  return Seconds(static_cast<double>(*microseconds) / 1e6 / kSignsOfLife);
}

/// @return 0, or the error.
int send_to(const std::string& path, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // in the abstract namespace
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const Descriptor from(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!from.open()) return errno;
  const auto sent = ::sendto(from.number(), text.data(), text.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size);
  return sent < 0 ? errno : 0;
}

}  // namespace

ServiceManager::ServiceManager(const WaitableClock& clock, std::function<void()> alive)
    : clock_(clock),
      alive_(std::move(alive)),
      socket_(variable("NOTIFY_SOCKET")),
      watchdog_(time_between_signs()) {}

ServiceManager::~ServiceManager() {
  stop_.stop();
  if (thread_.joinable()) thread_.join();
}

void ServiceManager::ready() {
  tell("READY=1");
  if (!socket_.empty() && watchdog_) thread_ = std::thread([this] { feed_watchdog(); });
}

void ServiceManager::tell(const std::string& state) const {
  if (socket_.empty()) return;
  if (const int error = send_to(socket_, state))
    log(LogLevel::warning, "systemd cannot be told",
        {{"state", state}, {"error", std::generic_category().message(error)}});
}

void ServiceManager::feed_watchdog() const {
  do {
    alive_();
    tell("WATCHDOG=1");
  } while (stop_.wait_until(clock_, clock_.now() + *watchdog_));
}

}  // namespace pg_integrity
