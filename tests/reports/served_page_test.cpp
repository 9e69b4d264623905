#include "reports/served_page.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "reports/json.h"
#include "sim/predict.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using Json = nlohmann::ordered_json;
using test::small_scenario;

namespace {

Json data_of(const std::string& page) {
  const std::string element = R"(<script id="stepcast-data" type="application/json">)";
  const std::size_t start = page.find(element) + element.size();
  return Json::parse(page.substr(start, page.find("</script", start) - start));
}

}  // namespace

TEST_CASE("a served scenario is answered with what predict prints of it", "[reports]") {
  const ServedAnswer answer = answer_scenario(small_scenario(), ".");
  REQUIRE(answer.status == 200);
  Json result = Json::parse(answer.json)["result"];
  Json expected = result_json(predict(test::read_text(small_scenario()), PredictOptions{}));
  for (Json* one : {&result, &expected}) {
    one->erase("title");  // without one a scenario is called as its file
    (*one)["engine"].erase("wall_time_s");
  }
  REQUIRE(result == expected);
}

TEST_CASE("a wrong scenario is answered with place, problem and way out", "[reports]") {
  const ServedAnswer answer = answer_scenario(small_scenario(R"({"model": "llama_6b"})"), ".");
  REQUIRE(answer.status == 400);
  const Json error = Json::parse(answer.json)["error"];
  CHECK(error["pointer"] == "/model");
  CHECK(error["problem"] == "no \"llama_6b\" in the catalogue's models");
  CHECK_THAT(error["hint"].get<std::string>(), Catch::Contains("\"llama_7b\""));
  CHECK_FALSE(error.contains("file"));
}

TEST_CASE("the served page offers the catalogue's names and the schema's words and bounds",
          "[reports]") {
  const std::vector<WrittenScenario> starts{{"small </script>", small_scenario()}};
  const Json data = data_of(served_page(starts));
  CHECK(data["kind"] == "serve");
  CHECK(data["scenarios"][0]["title"] == "small </script>");
  CHECK(data["scenarios"][0]["scenario"] == Json::parse(small_scenario()));
  std::map<std::string, Json> fields;
  for (const Json& field : data["fields"]) fields[field["pointer"]] = field;
  const auto offers = [&](const char* pointer, const char* word) {
    const Json& words = fields.at(pointer).at("words");
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  CHECK(offers("/model", "llama_65b"));
  CHECK(offers("/cluster/fabric", "hdr_rail"));
  CHECK(offers("/plan/schedule", "zero_bubble"));
  CHECK(fields.at("/plan/sequence_parallel")["switch"] == true);
  CHECK(fields.at("/plan/tensor_parallel")["minimum"] == 1);
  CHECK(fields.at("/plan/zero_stage")["minimum"] == 0);
}
