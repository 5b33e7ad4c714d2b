#include "exporter/http/renderings.h"

#include <utility>

namespace pg_integrity {

namespace {

constexpr std::size_t kMostHeld = std::size_t{16} << 20;  // bytes of older renderings

}  // namespace

Renderings::Text Renderings::get(const std::string& name,
                                 const std::function<std::string()>& render) {
  const std::shared_ptr<const void> edition = edition_ ? edition_() : nullptr;
  Made& made = newest_[name];
  if (Text text = made.text.lock(); text && edition && made.edition.lock() == edition) return text;
  kept_.reset();
  if (held() > kMostHeld) return made.text.lock();  // one that is still sent, rather than none
  auto text = std::make_shared<const std::string>(render());
  made = {edition, text};
  given_out_.push_back(text);
  kept_ = text;
  return text;
}

std::size_t Renderings::held() {
  std::size_t bytes = 0;
  std::erase_if(given_out_, [&](const auto& text) {
    const Text held = text.lock();
    if (held) bytes += held->size();
    return held == nullptr;
  });
  return bytes;
}

}  // namespace pg_integrity
