#include "scenarios/import/shell_sum.h"

#include <cctype>

#include "base/text_lines.h"

namespace stepcast {
namespace {

using Number = std::optional<std::int64_t>;

bool in_name(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

// Recursive descent: sum = product {+- product}, product = factor {*/% factor}.
class SumReader {
 public:
  SumReader(std::string_view text, const std::map<std::string, std::string>& variables)
      : text_(text), variables_(variables) {}

  Number read() {
    const Number value = sum();
    return at_ == text_.size() ? value : std::nullopt;
  }

 private:
  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '$')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  Number sum() {
    Number left = product();
    for (char sign = next(); left && (sign == '+' || sign == '-'); sign = next()) {
      ++at_;
      const Number right = product();
      if (!right) return right;
      const bool overflow = sign == '+' ? __builtin_add_overflow(*left, *right, &*left)
                                        : __builtin_sub_overflow(*left, *right, &*left);
      if (overflow) return std::nullopt;
    }
    return left;
  }

  Number product() {
    Number left = factor();
    for (char sign = next(); left && (sign == '*' || sign == '/' || sign == '%'); sign = next()) {
      ++at_;
      const Number right = factor();
      if (!right || (sign != '*' && *right <= 0)) return std::nullopt;
      if (sign == '*' && __builtin_mul_overflow(*left, *right, &*left)) return std::nullopt;
      if (sign == '/') *left /= *right;
      if (sign == '%') *left %= *right;
    }
    return left;
  }

  Number factor() {
    if (next() == '(') {
      if (++depth_ > 32) return std::nullopt;
      ++at_;
      const Number inside = sum();
      if (next() != ')') return std::nullopt;
      ++at_;
      --depth_;
      return inside;
    }
    const bool braces = next() == '{';
    if (braces) ++at_;
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    const std::string word(text_.substr(begin, at_ - begin));
    if (braces && next() == '}') ++at_;
    const auto variable = variables_.find(word);
    return whole_number(variable == variables_.end() ? word : variable->second);
  }

  std::string_view text_;
  const std::map<std::string, std::string>& variables_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<std::int64_t> shell_sum(std::string_view text,
                                      const std::map<std::string, std::string>& variables) {
  return SumReader(text, variables).read();
}

}  // namespace stepcast
