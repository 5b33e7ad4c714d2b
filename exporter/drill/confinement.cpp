#include "exporter/drill/confinement.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "collectors/base/errors.h"
#include "collectors/options/drills.h"
#include "exporter/config/conninfo.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr int kAnswerMilliseconds = 2000;
constexpr std::uint16_t kDns = 53;
/// Folders in which orchestrators mount credentials.
constexpr std::array<const char*, 2> kSecrets{"/run/secrets", "/var/run/secrets"};
constexpr std::array<const char*, 3> kSecretVariables{"PGPASSWORD", "PGPASSFILE",
                                                      "DATA_SOURCE_PASS"};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Whether somebody answers there, even by a refusal.
bool answers(const std::string& address, std::uint16_t port) {
  sockaddr_storage there{};
  auto* four = reinterpret_cast<sockaddr_in*>(&there);
  auto* six = reinterpret_cast<sockaddr_in6*>(&there);
  socklen_t size = sizeof(sockaddr_in);
  if (::inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
  } else if (::inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    size = sizeof(sockaddr_in6);
  } else {
    return false;
  }
  const Descriptor out(::socket(there.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.open()) return false;
  if (::connect(out.number(), reinterpret_cast<const sockaddr*>(&there), size) == 0) return true;
  if (errno != EINPROGRESS) return errno == ECONNREFUSED;
  pollfd wait{out.number(), POLLOUT, 0};
  if (::poll(&wait, 1, kAnswerMilliseconds) <= 0) return false;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(out.number(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 || error == ECONNREFUSED;
}

/// What a program in our container can reach over the network.
std::vector<std::string> reached() {
  std::vector<std::pair<std::string, std::uint16_t>> tried;
  std::istringstream lines(text_of("/etc/resolv.conf"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, address;
    if (words >> key >> address && key == "nameserver") tried.emplace_back(address, kDns);
  }
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (host != nullptr && port != nullptr)
    tried.emplace_back(host, static_cast<std::uint16_t>(std::atoi(port)));
  std::vector<std::string> found;
  for (const auto& [address, number] : tried)
    if (answers(address, number))
      found.push_back(fmt::format("{} port {} answers over the network", address, number));
  return found;
}

std::vector<std::string> credentials(const ServerOptions& server) {
  std::vector<std::string> found;
  std::error_code error;
  for (const char* folder : kSecrets)
    if (fs::exists(folder, error) && !fs::is_empty(folder, error))
      found.push_back(fmt::format("credentials are mounted at {}", folder));
  for (const char* name : kSecretVariables)
    if (std::getenv(name) != nullptr) found.push_back(fmt::format("{} is set", name));
  if (!visible(current_dsn(server.connection), {}).password.empty())
    found.emplace_back("the connection string holds a password");
  return found;
}

void require_sealed_container(const ServerOptions& server) {
  std::vector<std::string> holes = excess_rights(text_of("/proc/self/status"));
  for (const auto& more : {credentials(server), reached()})
    holes.insert(holes.end(), more.begin(), more.end());
  if (holes.empty()) return;
  std::string text = holes.front();
  for (std::size_t i = 1; i < holes.size(); ++i) text += "; " + holes[i];
  throw SourceError(Reason::config, fmt::format("this container is no sandbox: {}. HINT: "
                                                "deploy/kubernetes/examples/drills.yaml is one",
                                                text));
}

Sandbox limited(Sandbox sandbox, const Drills& drills) {
  constexpr double kLargestFile = 64.0 * (1U << 30U);  // bytes; PostgreSQL's own have 1 GiB
  SandboxLimits limits;
  limits.memory = drills.memory;
  limits.file_size = kLargestFile;
  sandbox.limit_to(limits);
  return sandbox;
}

}  // namespace

std::vector<std::string> excess_rights(const std::string& status) {
  std::vector<std::string> found;
  std::istringstream lines(status);
  bool no_new_rights = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, value;
    words >> key >> value;
    if (key == "Uid:" && value == "0") found.emplace_back("it runs as root");
    if ((key == "CapPrm:" || key == "CapBnd:") && value.find_first_not_of('0') != std::string::npos)
      found.push_back(fmt::format("it has capabilities ({} {})", key, value));
    if (key == "NoNewPrivs:") no_new_rights = value == "1";
  }
  if (!no_new_rights)
    found.emplace_back("its programs may gain privileges (no_new_privs is not set)");
  return found;
}

Sandbox sandbox_for(const ServerOptions& server, Children& children, const ScratchPlace& place,
                    const WorkDirectory& work) {
  const Drills& drills = server.drills.value();
  if (drills.sandbox == DrillSandbox::container) require_sealed_container(server);
  if (drills.sandbox != DrillSandbox::bubblewrap)
    return limited(Sandbox::none(place.account), drills);
  try {
    return limited(Sandbox::with_namespaces(children, place.account, work.etc()), drills);
  } catch (const SourceError& error) {
    throw SourceError(
        Reason::config,
        fmt::format("there is no sandbox for a backup's code: {}. HINT: install bubblewrap and "
                    "allow user namespaces; sandbox = \"none\" of [server.drills] does without",
                    error.what()));
  }
}

Sandbox sandbox_to_read(const ServerOptions& server, Children& children, const ScratchPlace& place,
                        const WorkDirectory& work) {
  const Drills& drills = server.drills.value();
  if (drills.sandbox == DrillSandbox::bubblewrap) {
    try {
      return limited(Sandbox::with_namespaces(children, place.account, work.etc()), drills);
    } catch (const SourceError&) {
      // its programs are limited, as they are without namespaces
    }
  }
  return limited(Sandbox::none(place.account), drills);
}

}  // namespace pg_integrity
