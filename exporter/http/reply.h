// An answer as bytes. Large parts are shared instead of copied, so many clients that read the same
// page slowly hold it once. Plain values.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pg_integrity {

struct Reply {
  struct Piece {
    std::string text;                   ///< the bytes, if `owner` is null
    std::shared_ptr<const void> owner;  ///< keeps the bytes of `shared`
    std::string_view shared;
  };
  std::vector<Piece> pieces;
  bool close = false;  ///< the connection ends with this answer
};

using HeaderLines = std::vector<std::pair<std::string, std::string>>;

/// A short answer in plain text.
Reply short_reply(int status, std::string_view text, bool close, const HeaderLines& headers = {});

/// Adds headers to the head of an answer, except for those that it already has.
void add_headers(Reply& reply, const HeaderLines& headers);

}  // namespace pg_integrity
