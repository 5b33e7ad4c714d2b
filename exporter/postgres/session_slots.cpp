#include "exporter/postgres/session_slots.h"

#include <algorithm>
#include <utility>

namespace pg_integrity {

std::size_t SessionSlots::used() const {
  return idle.size() + leased.size() + abandoned.size() + connecting;
}

std::size_t SessionSlots::allowed(std::size_t sessions) const {
  return alone.value_or(!failures.empty()) ? sessions : 1;
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
    if (auto left = session->abandon()) abandoned.push_back(std::move(left));
  }
  return nullptr;
}

void SessionSlots::note_success(const std::string& database, Instant now) {
  if (failures.erase(database) == 0) return;
  // It had failed, too. So the server, its network or our role may be back for the others.
  for (auto& [other, failure] : failures) failure.retry_at = std::min(failure.retry_at, now);
}

}  // namespace pg_integrity
