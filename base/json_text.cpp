// Strict JSON from text and files. nlohmann's own tree builder keeps the last of repeated keys and
// nests without limit, so its event interface builds the tree here.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fields.h"
#include "base/json_excerpt.h"
#include "base/text_file.h"

namespace stepcast {

namespace {

using nlohmann::json;

constexpr std::size_t deepest_nesting = 64;
constexpr std::size_t longest_line_excerpt = 60;

InputPlace place_at(std::string_view text, std::size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  const std::string_view in_line = before.substr(line_start);
  const auto column = 1 + std::count_if(in_line.begin(), in_line.end(),
                                        [](char c) { return !continues_character(c); });
  return {file, fmt::format("line {}, column {}", line, column)};
}

/// The line up to the character at `offset`, or the last of it where that is long.
std::string_view line_up_to(std::string_view text, std::size_t offset) {
  const std::size_t line_start = text.substr(0, offset).rfind('\n') + 1;
  std::string_view line = text.substr(line_start, offset + 1 - line_start);
  line.remove_prefix(line.size() - std::min(line.size(), longest_line_excerpt));
  while (!line.empty() && continues_character(line.front())) line.remove_prefix(1);
  return line;
}

/// Walks the text for the parser and tells how far it has read, which its events do not.
class TextCursor {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the names that std::iterator_traits looks for
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  // NOLINTEND(readability-identifier-naming)

  TextCursor(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  TextCursor& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  bool operator==(const TextCursor& other) const { return at_ == other.at_; }
  bool operator!=(const TextCursor& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

/// What nlohmann's message says went wrong, without its own place and its copy of the text.
std::string reason_of(std::string_view message) {
  const std::size_t syntax = message.find("syntax error");
  if (syntax == std::string_view::npos) return "a number is too large for a double";
  message.remove_prefix(message.find("- ", syntax) + 2);
  return "not valid JSON: " + std::string(message.substr(0, message.find("; last read: ")));
}

/// Receives the parser's events; its members are named as nlohmann calls them.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::string file)
      : text_(text), file_(std::move(file)), furthest_(text.data()) {}

  json parse() {
    const TextCursor begin(text_.data(), &furthest_);
    const TextCursor end(text_.data() + text_.size(), &furthest_);
    json::sax_parse(begin, end, this);
    return std::move(root_);
  }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(json::number_integer_t value) { return put(value); }
  bool number_unsigned(json::number_unsigned_t value) { return put(value); }
  bool number_float(json::number_float_t value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(json::binary_t& value) { return put(std::move(value)); }
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& key) {
    if (open_.back()->contains(key)) {
      throw InputError(place_at(text_, text_.find('"', token_end_), file_),
                       fmt::format("the key {} appears twice in one object", excerpt(key)));
    }
    key_ = std::move(key);
    token_end_ = offset();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    const std::size_t at = std::min(position - std::min<std::size_t>(position, 1), text_.size());
    throw InputError(place_at(text_, at, file_), reason_of(error.what()), {},
                     {"near " + excerpt(line_up_to(text_, at))});
  }

 private:
  std::size_t offset() const { return static_cast<std::size_t>(furthest_ - text_.data()); }

  json* insert(json value) {
    token_end_ = offset();
    if (open_.empty()) return &(root_ = std::move(value));
    json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  bool put(json value) {
    insert(std::move(value));
    return true;
  }

  bool open(json value) {
    if (open_.size() == deepest_nesting) {
      throw InputError(
          place_at(text_, offset() - 1, file_),
          fmt::format("lists and objects are nested more than {} deep", deepest_nesting));
    }
    open_.push_back(insert(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    token_end_ = offset();
    return true;
  }

  std::string_view text_;
  std::string file_;
  const char* furthest_;
  std::size_t token_end_ = 0;  ///< where the last token ended, to find where a key begins
  json root_;
  std::vector<json*> open_;  ///< the lists and objects around the current token
  std::string key_;
};

}  // namespace

json parse_json(std::string_view text, const std::string& file) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw InputError({file, "line 1, column 1"}, "the text is empty, expected JSON");
  }
  // The parser takes a zero byte for the end and would ignore what follows.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw InputError(place_at(text, zero, file), "not valid JSON: a zero byte");
  }
  return TreeBuilder(text, file).parse();
}

json read_json_file(const std::string& file) { return parse_json(read_text_file(file), file); }

}  // namespace stepcast
