// Holds every file to the order of the folders: a folder includes only itself and those before it.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace stepcast {

namespace {

constexpr std::array<std::string_view, 8> folders{"base", "topology",    "models",  "scenarios",
                                                  "sim",  "calibration", "reports", "cli"};

/// Libraries that cost seconds of compile time a file, so headers do without them.
constexpr std::array<std::string_view, 4> heavy{"boost/", "Eigen/", "nlohmann/json.hpp",
                                                "simgrid/"};

struct Include {
  std::string file;  ///< from the root: "models/memory.cpp"
  std::string target;
  bool quoted = false;
};

/// The position in the order; empty where the path does not start with one of the folders.
std::optional<std::size_t> folder_rank(std::string_view path) {
  const std::string_view folder = path.substr(0, path.find('/'));
  const auto found = std::find(folders.begin(), folders.end(), folder);
  if (found == folders.end()) return std::nullopt;
  return static_cast<std::size_t>(found - folders.begin());
}

/// What is wrong with an include; empty where nothing is.
std::string fault_of(const Include& include) {
  const std::string statement = include.file + " includes " + include.target;
  if (include.quoted) {
    const auto target = folder_rank(include.target);
    if (!target) return statement + ", which does not start with a folder of the sources";
    if (*target > folder_rank(include.file)) return statement + ", which is below it";
  }
  if (include.target.starts_with("simgrid/") && !include.file.starts_with("sim/simgrid/")) {
    return statement + " outside sim/simgrid/";
  }
  const bool is_heavy = std::any_of(heavy.begin(), heavy.end(), [&](std::string_view start) {
    return include.target.starts_with(start);
  });
  if (is_heavy && include.file.ends_with(".h")) return statement + " in a header";
  return {};
}

std::vector<Include> includes_of(std::istream& text, const std::string& file) {
  static const std::regex pattern(R"re(\s*#\s*include\s*(["<])([^">]+)[">].*)re");
  std::vector<Include> includes;
  std::smatch match;
  for (std::string line; std::getline(text, line);) {
    if (std::regex_match(line, match, pattern))
      includes.push_back({file, match[2], match[1] == "\""});
  }
  return includes;
}

std::vector<Include> all_includes() {
  const std::filesystem::path root(".");
  std::vector<Include> all;
  for (const std::string_view folder : folders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      std::ifstream text(entry.path());
      const auto found =
          includes_of(text, std::filesystem::relative(entry.path(), root).generic_string());
      all.insert(all.end(), found.begin(), found.end());
    }
  }
  return all;
}

}  // namespace

TEST_CASE("no folder includes one below it, and heavy libraries stay out of headers",
          "[base][contract]") {
  const std::vector<Include> includes = all_includes();
  REQUIRE(includes.size() > 50);  // base/ alone has more: fewer means that nothing was read
  for (const Include& include : includes) {
    const std::string fault = fault_of(include);
    CHECK(fault == "");
  }
}

TEST_CASE("the rules of includes find what they forbid", "[base]") {
  REQUIRE(fault_of({"base/a.h", "models/b.h", true}) ==
          "base/a.h includes models/b.h, which is below it");
  REQUIRE(fault_of({"sim/a.cpp", "a.h", true}) ==
          "sim/a.cpp includes a.h, which does not start with a folder of the sources");
  REQUIRE(fault_of({"sim/a.cpp", "simgrid/s4u.hpp", false}) ==
          "sim/a.cpp includes simgrid/s4u.hpp outside sim/simgrid/");
  REQUIRE(fault_of({"sim/simgrid/a.h", "simgrid/s4u.hpp", false}) ==
          "sim/simgrid/a.h includes simgrid/s4u.hpp in a header");
  REQUIRE(fault_of({"topology/a.h", "boost/graph/adjacency_list.hpp", false}) ==
          "topology/a.h includes boost/graph/adjacency_list.hpp in a header");
  REQUIRE(fault_of({"base/a.h", "nlohmann/json.hpp", false}) ==
          "base/a.h includes nlohmann/json.hpp in a header");
}

TEST_CASE("the rules of includes allow what they should", "[base]") {
  REQUIRE(fault_of({"sim/a.h", "base/units.h", true}) == "");
  REQUIRE(fault_of({"sim/a.h", "sim/b.h", true}) == "");
  REQUIRE(fault_of({"base/a.h", "nlohmann/json_fwd.hpp", false}) == "");
  REQUIRE(fault_of({"topology/a.cpp", "boost/graph/adjacency_list.hpp", false}) == "");
  REQUIRE(fault_of({"sim/simgrid/a.cpp", "simgrid/s4u.hpp", false}) == "");
}

TEST_CASE("includes are found in either form", "[base]") {
  std::istringstream text(
      "#include \"base/a.h\"\n  # include <vector>  // why\n// include \"b\"\n");
  const std::vector<Include> includes = includes_of(text, "sim/x.cpp");
  REQUIRE(includes.size() == 2);
  REQUIRE(includes[0].target == "base/a.h");
  REQUIRE(includes[0].quoted);
  REQUIRE(includes[1].target == "vector");
  REQUIRE_FALSE(includes[1].quoted);
}

}  // namespace stepcast
