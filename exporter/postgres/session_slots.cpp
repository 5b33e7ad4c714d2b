#include "exporter/postgres/session_slots.h"

#include <utility>

namespace pg_integrity {

std::size_t SessionSlots::used() const {
  return idle.size() + leased.size() + abandoned.size() + connecting;
}

void SessionSlots::sweep_abandoned() {
  std::erase_if(abandoned, [](const auto& session) { return session->gone(); });
}

std::unique_ptr<LiveSession> SessionSlots::take_idle(const std::string& database) {
  for (auto it = idle.begin(); it != idle.end();) {
    std::unique_ptr<LiveSession> session;
    const bool wanted = it->session->database() == database;
    const bool usable = it->session->usable();
    if (!wanted && usable) {
      ++it;
      continue;
    }
    session = std::move(it->session);
    it = idle.erase(it);
    if (wanted && usable) return session;
  }
  return nullptr;
}

const SessionSlots::Failure* SessionSlots::failure_of(const std::string& database) const {
  for (const std::string& key : {std::string(), database})
    if (const auto found = failures.find(key); found != failures.end()) return &found->second;
  return nullptr;
}

}  // namespace pg_integrity
