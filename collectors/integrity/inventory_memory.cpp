#include "collectors/integrity/inventory_memory.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "collectors/base/utf8.h"

namespace pg_integrity::inventory {

namespace {

// One record ends in ';' and has fields behind '|'. The first field says what it is about:
//
// v  version, since, seen, newest loss, cluster        first record
// T  schema, name, first, rows, part, loss             and its items behind it:
// .  kind, name, first if it differs from the table's, loss
// S  schema, name, first, loss, schema and name of its owner
// P  schema, name                                      a part
// M  schema, name, fingerprint                         a migration table
// K  pin, name                                         a name that it matched
// H  time, type, text                                  of the past
//
// A loss is a time, behind '-' if the thing was switched off.
constexpr std::string_view kVersion = "1";
constexpr std::string_view kEscaped = "|;\\";

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto character = first_utf8(text);
    if (!character) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

void append_hex(unsigned char byte, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 15U];
}

/// The state file is JSON, which has no bytes that are not UTF-8, and control characters at length.
void append_field(std::string_view field, std::string& out) {
  const bool plain = is_utf8(field);
  for (const char c : field) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 32 || (!plain && byte >= 128))
      append_hex(byte, out);
    else if (kEscaped.find(c) != std::string_view::npos)
      (out += '\\') += c;
    else
      out += c;
  }
}

std::string time_text(UnixTime time) {
  return std::to_string(std::llround(time));
}

std::string loss_text(const std::optional<Loss>& loss) {
  if (!loss) return {};
  return (loss->switched_off ? "-" : "") + time_text(loss->since);
}

class Writer {
 public:
  template <typename... Field>
  void record(const Field&... field) {
    bool first = true;
    ((first ? void() : void(text_ += '|'), first = false, append_field(field, text_)), ...);
    text_ += ';';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void write_table(const QualifiedName& name, const KnownTable& table, Writer& to) {
  to.record("T", name.schema, name.name, time_text(table.life.first), time_text(table.rows),
            std::string(table.was_part ? "1" : ""), loss_text(table.life.loss));
  for (const KnownItem& item : table.items)
    to.record(".", std::string(1, static_cast<char>(item.kind)), item.name,
              item.life.first == table.life.first ? std::string() : time_text(item.life.first),
              loss_text(item.life.loss));
}

/// Reads records. Every function throws std::invalid_argument if the text is damaged.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  /// Moves on to the next record.
  /// @return false at the end.
  bool next() {
    fields_.clear();
    if (rest_.empty()) return false;
    fields_.emplace_back();
    while (!rest_.empty()) {
      const char c = take();
      if (c == ';') return true;
      if (c == '|')
        fields_.emplace_back();
      else
        fields_.back() += c == '\\' ? unescaped() : c;
    }
    throw std::invalid_argument("a record has no end");
  }

  [[nodiscard]] const std::string& text(std::size_t field) const {
    if (field >= fields_.size()) throw std::invalid_argument("a field is missing");
    return fields_[field];
  }
  [[nodiscard]] QualifiedName name(std::size_t field) const {
    return {text(field), text(field + 1)};
  }
  [[nodiscard]] double number(std::size_t field) const { return number_in(text(field)); }
  [[nodiscard]] std::optional<Loss> loss(std::size_t field) const {
    std::string_view written = text(field);
    if (written.empty()) return std::nullopt;
    const bool off = written.front() == '-';
    if (off) written.remove_prefix(1);
    return Loss{number_in(written), off};
  }

 private:
  char take() {
    if (rest_.empty()) throw std::invalid_argument("the text ends too early");
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  char unescaped() {
    const char c = take();
    if (c != 'x') return c;
    const std::array<char, 2> digits{take(), take()};
    std::uint8_t byte = 0;
    if (std::from_chars(digits.begin(), digits.end(), byte, 16).ptr != digits.end())
      throw std::invalid_argument("no hexadecimal digits");
    return static_cast<char>(byte);
  }

  static double number_in(std::string_view digits) {
    std::int64_t value = 0;
    const char* end = digits.data() + digits.size();
    if (digits.empty() || std::from_chars(digits.data(), end, value).ptr != end)
      throw std::invalid_argument("no number");
    return static_cast<double>(value);
  }

  std::string_view rest_;
  std::vector<std::string> fields_;
};

void read_item(const Reader& from, KnownTable& table) {
  const auto kind = kind_of(from.text(1));
  if (!kind) throw std::invalid_argument("no kind");
  const UnixTime first = from.text(3).empty() ? table.life.first : from.number(3);
  table.items.push_back({*kind, from.text(2), {first, from.loss(4)}});
}

KnownSequence sequence_from(const Reader& from) {
  KnownSequence sequence{{from.number(3), from.loss(4)}, std::nullopt};
  if (!from.text(6).empty()) sequence.owner = from.name(5);
  return sequence;
}

/// Takes the record that the reader stands on.
/// @param table the newest table, which items belong to.
void read_record(const Reader& from, Memory& into, KnownTable*& table) {
  const std::string& about = from.text(0);
  if (about == "T") {
    table = &into.tables[from.name(1)];
    *table = {{from.number(3), from.loss(6)}, from.number(4), !from.text(5).empty(), {}};
  } else if (about == "." && table != nullptr) {
    read_item(from, *table);
  } else if (about == "S") {
    into.sequences[from.name(1)] = sequence_from(from);
  } else if (about == "P") {
    into.parts.insert(from.name(1));
  } else if (about == "M") {
    into.migrations[from.name(1)] = from.text(3);
  } else if (about == "K") {
    into.pins[from.text(1)].insert(from.text(2));
  } else if (about == "H") {
    into.past.push_back({from.number(1), from.text(2), from.text(3)});
  } else {
    throw std::invalid_argument("an unknown record");
  }
}

}  // namespace

std::string text_of(const Memory& memory) {
  Writer to;
  to.record("v", kVersion, time_text(memory.since), time_text(memory.seen),
            time_text(memory.newest_loss), memory.cluster);
  for (const auto& [name, table] : memory.tables) write_table(name, table, to);
  for (const auto& [name, sequence] : memory.sequences) {
    const QualifiedName owner = sequence.owner.value_or(QualifiedName{});
    to.record("S", name.schema, name.name, time_text(sequence.life.first),
              loss_text(sequence.life.loss), owner.schema, owner.name);
  }
  for (const QualifiedName& part : memory.parts) to.record("P", part.schema, part.name);
  for (const auto& [name, fingerprint] : memory.migrations)
    to.record("M", name.schema, name.name, fingerprint);
  for (const auto& [pin, names] : memory.pins)
    for (const std::string& name : names) to.record("K", pin, name);
  for (const Past& past : memory.past) to.record("H", time_text(past.at), past.type, past.text);
  return to.take();
}

std::optional<Memory> memory_from(const std::string& text) {
  try {
    Memory memory;
    Reader from(text);
    if (!from.next() || from.text(0) != "v" || from.text(1) != kVersion) return std::nullopt;
    memory.since = from.number(2);
    memory.seen = from.number(3);
    memory.newest_loss = from.number(4);
    memory.cluster = from.text(5);
    KnownTable* table = nullptr;
    while (from.next()) read_record(from, memory, table);
    return memory;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

}  // namespace pg_integrity::inventory
