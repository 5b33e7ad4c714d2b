#include "exporter/buckets/bucket_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace pg_integrity {

namespace {

constexpr double kDay = 86400;
constexpr Seconds kFirstRest{60};  ///< after an answer that says overload
constexpr Seconds kLongestRest{900};
constexpr Seconds kMaxPartialAge{900};  ///< tokens of a listing are not good for ever
constexpr std::size_t kMaxIdle = 2;     // connections; as many lanes read buckets

}  // namespace

void BucketState::look_at_day(const Clock& clock) {
  const double day = std::floor(clock.unix_now() / kDay);
  if (day == day_) return;
  day_ = day;
  today_ = {};
}

void BucketState::spend_request(const Clock& clock) {
  const MutexLock lock(mutex_);
  look_at_day(clock);
  if (alone_until_ && clock.now() < alone_until_->first) throw SourceError(alone_until_->second);
  alone_until_.reset();
  if (today_.requests >= bucket_.requests_max)
    throw SourceError(Reason::limit,
                      fmt::format("{}: the {:.0f} requests of a day are spent, and midnight UTC"
                                  " brings new ones. HINT: raise `requests_per_day` or `refresh`",
                                  bucket_.text(), bucket_.requests_max));
  if (today_.bytes >= bucket_.bytes_max)
    throw SourceError(Reason::limit,
                      fmt::format("{}: the {:.0f} bytes of a day are spent, and midnight UTC brings"
                                  " new ones. HINT: raise `bytes_per_day` or `refresh`",
                                  bucket_.text(), bucket_.bytes_max));
  ++today_.requests;
  ++untold_.requests;
}

void BucketState::note_received(std::size_t bytes) {
  const MutexLock lock(mutex_);
  today_.bytes += static_cast<double>(bytes);
  untold_.bytes += static_cast<double>(bytes);
}

void BucketState::leave_alone(const Clock& clock, Seconds at_least, const SourceError& why) {
  const MutexLock lock(mutex_);
  const Seconds rest = std::min(kLongestRest, kFirstRest * std::pow(2.0, std::min(overloads_, 8)));
  ++overloads_;
  // An hour is the most that a storage may ask for.
  alone_until_.emplace(clock.now() + std::max(rest, std::min(at_least, Seconds(3600))), why);
}

void BucketState::note_answer() {
  const MutexLock lock(mutex_);
  overloads_ = 0;
}

BucketUse BucketState::take_use() {
  const MutexLock lock(mutex_);
  return std::exchange(untold_, {});
}

bool BucketState::has_to_spare(const Clock& clock) {
  const MutexLock lock(mutex_);
  look_at_day(clock);
  return today_.requests < bucket_.requests_max / 2 && today_.bytes < bucket_.bytes_max / 2;
}

std::shared_ptr<HttpConnection> BucketState::take_connection() {
  const MutexLock lock(mutex_);
  if (idle_.empty()) return std::make_shared<HttpConnection>();
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void BucketState::give_back(std::shared_ptr<HttpConnection> connection) {
  const MutexLock lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
}

std::optional<Credentials> BucketState::credentials() const {
  const MutexLock lock(mutex_);
  return credentials_;
}

void BucketState::keep(const Credentials& credentials) {
  const MutexLock lock(mutex_);
  credentials_ = credentials;
}

void BucketState::forget_credentials() {
  const MutexLock lock(mutex_);
  credentials_.reset();
}

std::shared_ptr<const BucketListing> BucketState::listing(Instant now) const {
  const MutexLock lock(mutex_);
  return listing_ && now - listing_->taken < bucket_.refresh ? listing_ : nullptr;
}

void BucketState::keep(std::shared_ptr<const BucketListing> listing) {
  const MutexLock lock(mutex_);
  listing_ = std::move(listing);
}

void BucketState::forget_listing() {
  const MutexLock lock(mutex_);
  listing_.reset();
}

std::optional<PartialListing> BucketState::take_partial(Instant now) {
  const MutexLock lock(mutex_);
  auto partial = std::exchange(partial_, std::nullopt);
  if (partial && now - partial->began > kMaxPartialAge) partial.reset();
  return partial;
}

void BucketState::keep(PartialListing partial) {
  const MutexLock lock(mutex_);
  partial_ = std::move(partial);
}

}  // namespace pg_integrity
