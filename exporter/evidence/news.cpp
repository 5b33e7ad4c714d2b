#include "exporter/evidence/news.h"

#include <utility>

namespace pg_integrity {

News::Listener::Listener(News& news, std::function<void()> hear)
    : news_(news), hear_(std::move(hear)) {
  const MutexLock lock(news_.mutex_);
  news_.listeners_.insert(this);
}

News::Listener::~Listener() {
  const MutexLock lock(news_.mutex_);
  news_.listeners_.erase(this);
}

void News::tell() {
  const MutexLock lock(mutex_);
  for (const Listener* listener : listeners_) listener->hear_();
}

}  // namespace pg_integrity
