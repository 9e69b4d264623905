#include "scenarios/import/shell_script.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "base/input_error.h"
#include "base/text_lines.h"
#include "scenarios/import/shell_sum.h"

namespace stepcast {
namespace {

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\r'; }

bool in_name(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(), in_name);
}

constexpr std::array<std::string_view, 5> heads_of_control{"if", "for", "while", "until", "case"};
constexpr std::array<std::string_view, 5> words_of_control{"then", "else", "elif", "do", "!"};

template <std::size_t size>
bool one_of(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class ScriptReader {
 public:
  ScriptReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  ShellScript read() {
    while (!at_end()) read_piece();
    end_command();
    return std::move(script_);
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char here() const { return at_end() ? '\0' : text_[at_]; }
  bool sees(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void step() {
    if (here() == '\n') ++line_;
    ++at_;
  }

  [[noreturn]] void refuse(std::size_t line, const char* problem) const {
    throw InputError(line_place(file_, line), problem);
  }

  // --- Commands -------------------------------------------------------------------------------

  void read_piece() {
    const char letter = here();
    if (is_blank(letter)) {
      step();
    } else if (sees("\\\n") || sees("\\\r\n")) {
      step();
      while (here() != '\n') step();
      step();
    } else if (letter == '\n' || letter == ';' || letter == '&' || letter == '|') {
      end_line(letter);
    } else if (letter == '#') {
      read_comment();
    } else if (sees("<<") && !sees("<<<")) {
      read_here_document();
    } else if (letter == '(' || letter == ')' || letter == '<' || letter == '>') {
      step();
    } else {
      read_word_of_command();
    }
  }

  void end_line(char letter) {
    step();
    end_command();
    if (letter == '\n' && !here_end_.empty()) skip_here_document();
  }

  void end_command() {
    if (!words_.empty()) script_.commands.push_back({std::move(words_)});
    words_.clear();
    exporting_ = false;
  }

  void read_comment() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    script_.comments.push_back({std::string(text_.substr(at_ + 1, end - at_ - 1)), line_});
    at_ = end;
  }

  void read_here_document() {
    at_ += 2;
    while (here() == '-' || is_blank(here())) step();
    const std::size_t begin = at_;
    while (!at_end() && !is_blank(here()) && here() != '\n') step();
    here_end_ = text_.substr(begin, at_ - begin);
    std::erase_if(here_end_, [](char letter) { return letter == '\'' || letter == '"'; });
  }

  void skip_here_document() {
    while (!at_end()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const std::string_view line = without_blanks_around(text_.substr(at_, end - at_));
      at_ = std::min(end + 1, text_.size());
      ++line_;
      if (line == here_end_) break;
    }
    here_end_.clear();
  }

  void read_word_of_command() {
    if (words_.empty() && read_assignment()) return;
    const std::size_t line = line_;
    const std::vector<std::string> parts = read_word(true);
    if (words_.empty() && parts.size() == 1 && is_control(parts.front(), line)) return;
    for (const std::string& part : parts) words_.push_back({part, line});
  }

  bool is_control(const std::string& word, std::size_t line) {
    if (word == "export") exporting_ = true;
    if (one_of(heads_of_control, word)) script_.control_lines.push_back(line);
    return exporting_ || one_of(heads_of_control, word) || one_of(words_of_control, word);
  }

  // --- Assignments ----------------------------------------------------------------------------

  bool read_assignment() {
    const std::size_t equals = text_.find('=', at_);
    if (equals == std::string_view::npos) return false;
    std::string_view name = text_.substr(at_, equals - at_);
    const bool appends = name.ends_with('+');
    if (appends) name.remove_suffix(1);
    if (!is_name(name)) return false;
    at_ = equals + 1;
    const std::string value = here() == '(' ? read_array() : joined(read_word(false));
    std::string& variable = variables_[std::string(name)];
    if (appends) {
      variable += (here_was_array_ ? " " : "") + value;
    } else {
      variable = value;
    }
    if (exporting_) script_.exported[std::string(name)] = variable;
    return true;
  }

  // The elements, with a blank between them.
  std::string read_array() {
    const std::size_t begin_line = line_;
    here_was_array_ = true;
    step();
    std::string value;
    while (here() != ')') {
      if (at_end()) refuse(begin_line, "the list that begins here has no end");
      if (is_blank(here()) || here() == '\n' || sees("\\\n")) {
        step();
      } else if (here() == '#') {
        read_comment();
      } else if (here() == '(' || here() == ';' || here() == '&' || here() == '|') {
        refuse(line_, "a list holds words only");
      } else {
        for (const std::string& part : read_word(true)) {
          value += (value.empty() ? "" : " ") + shell_quoted(part);
        }
      }
    }
    step();
    return value;
  }

  // --- Words ----------------------------------------------------------------------------------

  static std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
    return text;
  }

  bool ends_word() const {
    const char letter = here();
    return at_end() || is_blank(letter) || letter == '\n' || letter == ';' || letter == '&' ||
           letter == '|' || letter == ')' || letter == '(' || letter == '<' || letter == '>' ||
           sees("\\\n") || sees("\\\r\n");
  }

  // One word as written is several where an expansion outside quotes has blanks (`splits`).
  std::vector<std::string> read_word(bool splits) {
    std::vector<std::string> words{""};
    bool quoted = false;
    while (!ends_word()) {
      const char letter = here();
      if (letter == '\'') {
        words.back() += read_single_quotes();
        quoted = true;
      } else if (letter == '"') {
        append(words, read_double_quotes(), false);
        quoted = true;
      } else if (letter == '$' || letter == '`') {
        append(words, read_expansion(), splits);
      } else {
        if (letter == '\\') step();
        if (!at_end()) words.back() += here();
        step();
      }
    }
    if (!quoted) std::erase(words, "");
    return words;
  }

  static void append(std::vector<std::string>& words, const std::string& text, bool splits) {
    if (!splits) {
      words.back() += text;
      return;
    }
    const std::vector<std::string> parts = shell_words(text);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) words.emplace_back();
      words.back() += parts[i];
    }
  }

  std::string read_single_quotes() {
    const std::size_t begin_line = line_;
    step();
    std::string text;
    for (; here() != '\''; step()) {
      if (at_end()) refuse(begin_line, "the quote that begins here has no end");
      text += here();
    }
    step();
    return text;
  }

  std::string read_double_quotes() {
    const std::size_t begin_line = line_;
    step();
    std::string text;
    while (here() != '"') {
      if (at_end()) refuse(begin_line, "the quote that begins here has no end");
      if (here() == '$' || here() == '`') {
        text += read_expansion();
        continue;
      }
      if (sees("\\\n") || sees("\\\r\n")) {
        while (here() != '\n') step();
        step();
        continue;
      }
      if (sees("\\\"") || sees("\\$") || sees("\\\\")) step();
      text += here();
      step();
    }
    step();
    return text;
  }

  // --- Expansions -----------------------------------------------------------------------------

  std::string read_expansion() {
    if (here() == '`') return read_enclosed("`", "`");
    if (sees("$((")) return read_sum();
    if (sees("$(")) return read_enclosed("$(", ")");
    if (sees("${")) return expand_braces(read_enclosed("${", "}"));
    const std::size_t begin = at_;
    step();
    while (in_name(here())) step();
    if (at_ == begin + 1 && !at_end() && !ends_word() && here() != '"') step();  // $@, $?, $#
    return value_of(std::string(text_.substr(begin + 1, at_ - begin - 1)),
                    std::string(text_.substr(begin, at_ - begin)));
  }

  std::string value_of(const std::string& name, const std::string& as_written) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? as_written : found->second;
  }

  // As written, with both ends.
  std::string read_enclosed(std::string_view begin, std::string_view end) {
    const std::size_t begin_line = line_;
    const std::size_t from = at_;
    at_ += begin.size();
    for (int depth = 1; depth > 0;) {
      if (at_end()) refuse(begin_line, "the expansion that begins here has no end");
      if (sees(end)) {
        --depth;
      } else if (begin.size() > 1 && here() == begin.back()) {
        ++depth;
      }
      step();
    }
    return std::string(text_.substr(from, at_ - from));
  }

  std::string read_sum() {
    const std::string written = read_enclosed("$(", ")");
    const std::string_view inside = std::string_view(written).substr(3, written.size() - 5);
    const std::optional<std::int64_t> value = shell_sum(inside, variables_);
    return value ? std::to_string(*value) : written;
  }

  std::string expand_braces(const std::string& written) const {
    const std::string inside = written.substr(2, written.size() - 3);
    const auto end = std::find_if_not(inside.begin(), inside.end(), in_name);
    const std::string name(inside.begin(), end);
    const std::string rest(end, inside.end());
    if (rest.empty() || rest == "[@]" || rest == "[*]") return value_of(name, written);
    if (rest.starts_with(":-") || rest.starts_with(":=")) return value_of(name, rest.substr(2));
    if (rest.starts_with("-") || rest.starts_with("=")) return value_of(name, rest.substr(1));
    return written;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  bool exporting_ = false;
  bool here_was_array_ = false;
  std::string here_end_;
  std::vector<ShellWord> words_;
  std::map<std::string, std::string> variables_;
  ShellScript script_;
};

}  // namespace

std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  char quote = '\0';
  for (const char letter : text) {
    const bool blank = quote == '\0' && (is_blank(letter) || letter == '\n');
    if (blank || (quote == '\0' && letter == '\\')) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (letter == quote) {
      quote = '\0';
    } else if (quote == '\0' && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else {
      words.back() += letter;
    }
  }
  return words;
}

std::string shell_quoted(const std::string& text) {
  constexpr std::string_view plain = "-_=+./:,@%[]*";
  const bool safe = !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
           plain.find(letter) != std::string_view::npos;
  });
  if (safe) return text;
  std::string quoted = "'";
  for (const char letter : text)
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

ShellScript read_shell_script(std::string_view text, const std::string& file) {
  text_lines(text, file);
  return ScriptReader(text, file).read();
}

}  // namespace stepcast
