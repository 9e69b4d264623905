#include "scenarios/catalogue.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/base/error_text.h"
#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using test::TemporaryFolder;

const InputPlace here{"guide/scenario.json", "/model"};

/// Three models and a kernel profile.
class SmallCatalogue {
 public:
  SmallCatalogue() {
    for (const char* name : {"llama_65b", "llama_7b", "gpt_76b"}) {
      folder_.write(std::string("catalogue/models/") + name + ".json", R"({"num_layers": 4})");
    }
    folder_.write("catalogue/profiles/gpu/a100.json", "{}");
    folder_.write("outside.json", "{}");
  }
  std::string path(const std::string& name) const { return folder_.path(name); }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("catalogue: a test finds the catalogue of the source tree", "[scenarios]") {
  REQUIRE(catalogue_folder() == std::filesystem::absolute("scenarios/catalogue").string());
}

TEST_CASE("catalogue: every part that ships is found by its kind and name", "[scenarios]") {
  Catalogue catalogue(catalogue_folder());
  for (const std::string& kind : catalogue.kinds()) {
    for (const std::string& name : catalogue.names(kind)) {
      CAPTURE(kind, name);
      REQUIRE(catalogue.resolve(kind, name, here).json->contains("source"));
    }
  }
}

TEST_CASE("catalogue: kinds and names are sorted", "[scenarios]") {
  const SmallCatalogue files;
  const Catalogue catalogue(files.path("catalogue"));
  REQUIRE(catalogue.kinds() == std::vector<std::string>{"models", "profiles/gpu"});
  REQUIRE(catalogue.names("models") ==
          std::vector<std::string>{"gpt_76b", "llama_65b", "llama_7b"});
  REQUIRE(catalogue.names("boats").empty());
}

TEST_CASE("catalogue: a part is read once", "[scenarios]") {
  const SmallCatalogue files;
  Catalogue catalogue(files.path("catalogue"));
  const auto first = catalogue.resolve("models", "llama_7b", here);
  REQUIRE(first.file == files.path("catalogue/models/llama_7b.json"));
  REQUIRE(catalogue.resolve("models", "llama_7b", here).json == first.json);
}

TEST_CASE("catalogue: an unknown name brings the nearest ones", "[scenarios]") {
  const SmallCatalogue files;
  Catalogue catalogue(files.path("catalogue"));
  REQUIRE(error_text([&] { catalogue.resolve("models", "lama_65b", here); }) ==
          "guide/scenario.json: at /model: no \"lama_65b\" in the catalogue's models\n"
          "  known: gpt_76b, llama_65b, llama_7b\n"
          "  hint: did you mean \"llama_65b\"?");
}

TEST_CASE("catalogue: no name leads out of the catalogue", "[scenarios]") {
  const SmallCatalogue files;
  Catalogue catalogue(files.path("catalogue/models"));
  const std::string name = GENERATE(std::string(".."), std::string("."), std::string(""),
                                    std::string("llama_7b\0", 9), std::string("a b"));
  CAPTURE(name);
  REQUIRE_THROWS_AS(catalogue.resolve("", name, here), InputError);
}

TEST_CASE("catalogue: a path is relative to the file that names it", "[scenarios]") {
  const SmallCatalogue files;
  Catalogue catalogue("no/such/folder");
  const InputPlace from{files.path("catalogue/scenario.json"), "/model"};
  REQUIRE(catalogue.resolve("models", "../outside.json", from).file == files.path("outside.json"));
  REQUIRE(catalogue.resolve("models", "models/llama_7b.json", from).file ==
          files.path("catalogue/models/llama_7b.json"));
  REQUIRE(catalogue.resolve("models", files.path("outside.json"), here).file ==
          files.path("outside.json"));
}

TEST_CASE("catalogue: a path without a file says where it was looked for", "[scenarios]") {
  Catalogue catalogue("no/such/folder");
  REQUIRE(error_text([&] { catalogue.resolve("models", "../my.json", here); }) ==
          "guide/scenario.json: at /model: there is no file \"../my.json\"\n"
          "  looked for my.json\n"
          "  hint: a path is relative to the file that names it");
}

}  // namespace stepcast
