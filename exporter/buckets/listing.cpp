// libexpat reads the XML as it streams, builds no document, and is in every Debian. We stop it at a
// document type, so there are no entities to expand.
#include "exporter/buckets/listing.h"

#include <expat.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxText = 16384;  // bytes of one element; keys and tokens have less

/// Calls a function with the path and the text of each element that ends, such as
/// ("ListBucketResult/Contents/Key", "a/b"). Only innermost texts are right.
class XmlReader {
 public:
  using EndOf = std::function<void(const std::string& path, const std::string& text)>;

  explicit XmlReader(EndOf end_of)
      : end_of_(std::move(end_of)), parser_(XML_ParserCreate(nullptr), XML_ParserFree) {
    if (!parser_) throw SourceError(Reason::limit, "out of memory");
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), begins, ends);
    XML_SetCharacterDataHandler(parser_.get(), says);
    XML_SetStartDoctypeDeclHandler(parser_.get(), has_doctype);
  }

  /// @return whether it is XML within our bounds.
  bool read(std::string_view xml) {
    if (xml.size() > kMaxPageBytes) return false;
    return XML_Parse(parser_.get(), xml.data(), static_cast<int>(xml.size()), 1) == XML_STATUS_OK &&
           good_;
  }

 private:
  // Callbacks of C code, which no exception may pass. They stop the parser instead.

  static void begins(void* user, const XML_Char* name, const XML_Char** /*attributes*/) noexcept {
    static_cast<XmlReader*>(user)->guarded([&](XmlReader& self) {
      if (++self.depth_ > kMaxDepth) return self.stop();
      self.ends_of_path_.push_back(self.path_.size());
      if (!self.path_.empty()) self.path_ += '/';
      self.path_ += name;
      if (self.path_.size() > kMaxText) return self.stop();
      self.text_.clear();
    });
  }

  static void ends(void* user, const XML_Char* /*name*/) noexcept {
    static_cast<XmlReader*>(user)->guarded([](XmlReader& self) {
      self.end_of_(self.path_, self.text_);
      self.path_.resize(self.ends_of_path_.back());
      self.ends_of_path_.pop_back();
      self.text_.clear();
      --self.depth_;
    });
  }

  static void says(void* user, const XML_Char* text, int length) noexcept {
    static_cast<XmlReader*>(user)->guarded([&](XmlReader& self) {
      self.text_.append(text, static_cast<std::size_t>(length));
      if (self.text_.size() > kMaxText) self.stop();
    });
  }

  static void has_doctype(void* user, const XML_Char* /*name*/, const XML_Char* /*system*/,
                          const XML_Char* /*public*/, int /*internal*/) noexcept {
    static_cast<XmlReader*>(user)->stop();
  }

  template <typename Work>
  void guarded(Work work) noexcept {
    if (!good_) return;
    try {
      work(*this);
    } catch (...) {
      stop();
    }
  }

  void stop() {
    good_ = false;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  EndOf end_of_;
  std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser_;
  std::string path_;
  std::vector<std::size_t> ends_of_path_;
  std::string text_;
  std::size_t depth_ = 0;
  bool good_ = true;
};

[[noreturn]] void refuse_listing(const std::string& why) {
  throw SourceError(Reason::decode, "the listing of the bucket " + why);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Undoes encoding-type=url. A plus means a space there, since a plus itself is encoded.
std::string url_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) refuse_listing("holds a key that is encoded wrongly");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (text[i] == '%') {
      refuse_listing("holds a key that is encoded wrongly");
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

double size_from(const std::string& text) {
  std::uint64_t size = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, size);
  if (error != std::errc{} || at != end) refuse_listing("holds a size that is none");
  return static_cast<double>(size);
}

std::string unquoted(std::string text) {
  std::erase(text, '"');
  return text;
}

/// Collects a page, element by element.
struct PageBuilder {
  ListingPage page;
  BucketObject object;
  bool encoded = false;
  bool truncated = false;
  bool known = false;
  std::string fault;

  void take(const std::string& path, const std::string& text) {
    constexpr std::string_view kTop = "ListBucketResult/";
    if (path == "ListBucketResult") known = true;
    if (!path.starts_with(kTop)) return;
    const std::string name = path.substr(kTop.size());
    if (name == "Contents/Key") object.key = text;
    if (name == "Contents/ETag") object.tag = unquoted(text);
    if (name == "Contents/Size") object.size = size_from(text);
    if (name == "Contents/LastModified") {
      const auto when = parse_iso_time(text);
      if (!when) refuse_listing("holds a time that is none");
      object.modified = *when;
    }
    if (name == "Contents") {
      if (page.objects.size() == kPageObjects)
        refuse_listing("has more objects than were asked for");
      page.objects.push_back(std::exchange(object, {}));
    }
    if (name == "EncodingType") encoded = text == "url";
    if (name == "IsTruncated") truncated = text == "true";
    if (name == "NextContinuationToken") page.next = text;
  }
};

}  // namespace

std::optional<UnixTime> parse_iso_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kForm.size() + 1 || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  double fraction = 0;
  double unit = 0.1;
  for (std::size_t i = kForm.size() + 1; i + 1 < text.size(); ++i, unit /= 10) {
    if (text[kForm.size()] != '.' || text[i] < '0' || text[i] > '9') return std::nullopt;
    fraction += unit * (text[i] - '0');
  }
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return static_cast<double>(days) * 86400 + hour * 3600 + minute * 60 + second + fraction;
}

ListingPage read_listing_page(std::string_view xml) {
  PageBuilder builder;
  std::optional<SourceError> fault;
  XmlReader reader([&](const std::string& path, const std::string& text) {
    try {
      builder.take(path, text);
    } catch (const SourceError& error) {
      fault = error;
      throw;
    }
  });
  const bool good = reader.read(xml);
  if (fault) throw SourceError(*fault);
  if (!good || !builder.known) refuse_listing("is not what the protocol of S3 says");
  for (BucketObject& object : builder.page.objects) {
    if (builder.encoded) object.key = url_decoded(object.key);
    if (object.key.empty()) refuse_listing("holds an object without a key");
  }
  if (!builder.truncated) builder.page.next.clear();
  if (builder.truncated && builder.page.next.empty())
    refuse_listing("goes on, and does not say where");
  return std::move(builder.page);
}

std::vector<std::string> read_elements(std::string_view xml,
                                       const std::vector<std::string>& names) {
  std::vector<std::string> texts(names.size());
  XmlReader reader([&](const std::string& path, const std::string& text) {
    const std::string name = path.substr(path.rfind('/') + 1);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) texts[static_cast<std::size_t>(found - names.begin())] = text;
  });
  if (!reader.read(xml)) throw SourceError(Reason::decode, "the answer is no XML that is expected");
  return texts;
}

std::optional<Refusal> read_refusal(std::string_view xml) {
  try {
    std::vector<std::string> texts = read_elements(xml, {"Code", "Message", "Region"});
    if (texts[0].empty()) return std::nullopt;
    return Refusal{texts[0], texts[1], texts[2]};
  } catch (const SourceError&) {
    return std::nullopt;
  }
}

}  // namespace pg_integrity
