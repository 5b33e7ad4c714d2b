// What the inventory remembers of a database over restarts: names, since when they are there, what
// was lost. It has no OIDs, so that a restored or upgraded database is compared by name. Plain
// values; pure functions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/integrity/inventory_names.h"

namespace pg_integrity::inventory {

struct Loss {
  UnixTime since = 0;
  bool switched_off = false;  ///< it is there, but it does not work
};

struct Life {
  UnixTime first = 0;  ///< when a pass first saw it
  std::optional<Loss> loss;
};

struct KnownItem {
  Kind kind{};
  std::string name;
  Life life;
};

struct KnownTable {
  Life life;
  double rows = 0;               ///< the most that a pass ever saw
  bool was_part = false;         ///< it was a part of another table or of an extension
  std::vector<KnownItem> items;  ///< sorted by kind and name; those of a lost table as they were
};

struct KnownSequence {
  Life life;
  std::optional<QualifiedName> owner;  ///< the table that it is dropped with
};

/// Something that went and is no loss, or none any more.
struct Past {
  UnixTime at = 0;
  std::string type;  ///< of kTypes
  std::string text;
};

struct Memory {
  UnixTime since = 0;  ///< of the first pass
  UnixTime seen = 0;   ///< of the newest pass; 0: there was none
  /// When the newest losses began. Those of ten minutes count as one event. 0: nothing is lost.
  UnixTime newest_loss = 0;
  std::string cluster;  ///< system identifier of the newest pass
  std::map<QualifiedName, KnownTable> tables;
  std::map<QualifiedName, KnownSequence> sequences;
  std::set<QualifiedName> parts;
  std::map<QualifiedName, std::string> migrations;    ///< fingerprints of the migration tables
  std::map<std::string, std::set<std::string>> pins;  ///< all names that a pin ever matched
  std::vector<Past> past;                             ///< oldest first
};

std::string text_of(const Memory& memory);

/// @return nothing if the text is damaged or of another version.
std::optional<Memory> memory_from(const std::string& text);

}  // namespace pg_integrity::inventory
