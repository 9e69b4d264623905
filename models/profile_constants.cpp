#include "models/profile_constants.h"

#include <optional>

#include "base/fields.h"

namespace stepcast {
namespace {

// Goes through a description like a writer, and notes where values with a spread are.
class ConstantFinder final : public Fields {
 public:
  explicit ConstantFinder(std::string prefix) : path_(std::move(prefix)) {}

  std::vector<ConstantRef> take() { return std::move(found_); }

  void field(std::string_view, int&, const FieldRules&) override {}
  void field(std::string_view, std::int64_t&, const FieldRules&) override {}
  void field(std::string_view, bool&, const FieldRules&) override {}
  void field(std::string_view, BytesPerSecond&, const FieldRules&) override {}
  void field(std::string_view, FlopPerSecond&, const FieldRules&) override {}
  void field(std::string_view, Flop&, const FieldRules&) override {}
  void field(std::string_view, Watts&, const FieldRules&) override {}
  void field(std::string_view, std::vector<int>&, const FieldRules&) override {}
  void field(std::string_view key, Bytes& value, const FieldRules&) override { note(key, value); }
  void field(std::string_view key, Seconds& value, const FieldRules&) override { note(key, value); }
  void field(std::string_view key, double& value, const FieldRules&) override {
    if (key == "spread") {
      here_.spread = &value;
    } else {
      note(key, value);
    }
  }
  void field(std::string_view key, std::string& value, const FieldRules&) override {
    if (key == "fitted_to") here_.fitted_to = &value;
  }

  void object(std::string_view key, const Describe& describe, const FieldRules&) override {
    const std::size_t outer = path_.size();
    path_ += (path_.empty() ? "" : "/") + std::string(key);
    here_ = {};
    describe(*this);
    if (here_.value && here_.spread && here_.fitted_to) {
      found_.emplace_back(path_, *here_.value, *here_.spread, *here_.fitted_to);
    }
    here_ = {};
    path_.resize(outer);
  }

  void list(std::string_view, std::size_t, const std::function<void(std::size_t)>&,
            const std::function<void(Fields&, std::size_t)>&, const FieldRules&) override {}
  void word_list(std::string_view, std::vector<std::size_t>&, std::span<const std::string_view>,
                 const FieldRules&) override {}
  void part(std::string_view, std::string_view, std::string&, const Describe&,
            const FieldRules&) override {}
  void fault(std::string_view, std::string, std::string, std::vector<std::string>) const override {}
  bool reading() const override { return false; }

 protected:
  bool begin_optional(std::string_view, bool has_value, const FieldRules&) override {
    return has_value;
  }
  void word(std::string_view, std::size_t&, std::span<const std::string_view>,
            const FieldRules&) override {}

 private:
  struct Members {
    std::optional<ConstantRef::Target> value;
    double* spread = nullptr;
    std::string* fitted_to = nullptr;
  };

  template <class Value>
  void note(std::string_view key, Value& value) {
    if (key == "value") here_.value = &value;
  }

  std::string path_;
  Members here_;  // of the object being described
  std::vector<ConstantRef> found_;
};

template <class Part>
std::vector<ConstantRef> find(std::string prefix, Part& part) {
  ConstantFinder finder(std::move(prefix));
  describe(finder, part);
  return finder.take();
}

}  // namespace

double ConstantRef::value() const {
  if (double* const* const number = std::get_if<double*>(&value_)) return **number;
  if (Seconds* const* const time = std::get_if<Seconds*>(&value_)) return (*time)->value();
  return std::get<Bytes*>(value_)->value();
}

void ConstantRef::set_value(double value) const {
  if (double* const* const number = std::get_if<double*>(&value_)) {
    **number = value;
  } else if (Seconds* const* const time = std::get_if<Seconds*>(&value_)) {
    **time = Seconds(value);
  } else {
    *std::get<Bytes*>(value_) = Bytes(value);
  }
}

std::vector<ConstantRef> constants_of(GpuProfile& profile) { return find("", profile); }
std::vector<ConstantRef> constants_of(NetworkProfile& profile) { return find("", profile); }
std::vector<ConstantRef> constants_of(FrameworkProfile& profile) { return find("", profile); }

std::vector<ConstantRef> constants_of(Profile& profile) {
  std::vector<ConstantRef> all = find("gpu", profile.gpu);
  for (ConstantRef& constant : find("network", profile.network)) all.push_back(constant);
  for (ConstantRef& constant : find("framework", profile.framework)) all.push_back(constant);
  return all;
}

}  // namespace stepcast
