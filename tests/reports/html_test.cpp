#include "reports/html.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "reports/comparison.h"
#include "reports/json.h"
#include "tests/reports/hand_made.h"
#include "tests/support/small_scenario.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

const std::string open_element = R"(<script id="stepcast-data" type="application/json">)";
const std::string empty_page = "<p>before</p>" + open_element + "null</script><p>after</p>";

// What a browser takes for the element's text: up to the first end tag.
std::string data_text(const std::string& page) {
  const std::size_t start = page.find(open_element) + open_element.size();
  return page.substr(start, page.find("</script", start) - start);
}

bool built_with_page() {
  try {
    return !html_template().empty();
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("a page holds its data, and nothing else of it changes", "[reports]") {
  const Json data = {{"title", "tiny"}, {"step_time_s", 0.1}};
  REQUIRE(html_page(empty_page, data) == "<p>before</p>" + open_element +
                                             R"({"title":"tiny","step_time_s":0.1})" +
                                             "</script><p>after</p>");
}

TEST_CASE("no text in the data can leave its element", "[reports][contract]") {
  const Json data = {{"title", "</script><script>alert(1)</script> <!-- ]]> \" & \xe2\x80\xa8"}};
  const std::string page = html_page(empty_page, data);
  REQUIRE(data_text(page).find('<') == std::string::npos);
  REQUIRE(Json::parse(data_text(page)) == data);
}

TEST_CASE("a title that is no UTF-8 still gives a page", "[reports]") {
  REQUIRE_THAT(html_page(empty_page, {{"title", "\xff"}}), Catch::Contains("\xEF\xBF\xBD"));
}

TEST_CASE("a template that is not there or is another file is wrong input", "[reports]") {
  REQUIRE_THROWS_WITH(html_template("/no/such/report.html"),
                      "/no/such/report.html: at /: there is no such file");
  const test::TemporaryFolder folder;
  const std::string other = folder.write("report.html", "<html></html>");
  REQUIRE_THROWS_WITH(html_template(other),
                      other +
                          ": at /: this is not the page that reports are written into\n"
                          "  hint: install the program again");
}

TEST_CASE("the built page has one data element and asks for nothing outside", "[reports]") {
  if (!built_with_page()) return;
  const std::string page = html_template();
  REQUIRE(page.find(open_element) == page.rfind(open_element));
  for (const char* request : {"src=\"", "<link rel=\"stylesheet\"", "@import", "href=\"http"}) {
    CHECK(page.find(request) == std::string::npos);
  }
}

TEST_CASE("pages hold the same JSON that the commands print", "[reports][contract]") {
  if (!built_with_page()) return;
  const std::vector<Prediction> both{test::prediction_of_10_s(), test::prediction_of_6_s()};
  const Json one = Json::parse(data_text(prediction_html(std::span(both).first(1), Json::array())));
  REQUIRE(one["kind"] == "predict");
  REQUIRE(one["result"] == result_json(both[0].report));
  REQUIRE(one["descriptions"].size() == 1);
  const Json several = Json::parse(data_text(prediction_html(both, Json::array())));
  REQUIRE(several["result"] == results_json(both));
  const Json comparison =
      Json::parse(data_text(comparison_html(both, Json::array({{{"stages", 4}}}))));
  REQUIRE(comparison["kind"] == "compare");
  REQUIRE(comparison["result"] == Json::parse(json_text(comparison_json(both))));  // NaN: null
  REQUIRE(comparison["notes"].size() == 2);
  REQUIRE(comparison["drawings"][0]["stages"] == 4);
}

TEST_CASE("the page of a validation holds the JSON that validate prints", "[reports][contract]") {
  if (!built_with_page()) return;
  ValidationRun run;
  run.title = "one";
  run.predicted_step_time = 11_s;
  run.step_time = {11.0, 10.0};
  run.oom_probability = 0.25;
  run.measured_fits = true;
  const std::vector<ValidationSuite> suites{{"measured", {run}, {{"broken", "unknown key"}}}};
  const Json page = Json::parse(data_text(validation_html(suites)));
  REQUIRE(page["kind"] == "validate");
  REQUIRE(page["result"] == Json::parse(json_text(validation_json(suites))));
  REQUIRE(page["result"]["runs"][0]["suite"] == "measured");
  REQUIRE(page["result"]["runs"][0]["predicted"] == 11.0);
  REQUIRE(page["result"]["runs"][0]["measured"] == 10.0);
  REQUIRE(page["result"]["oom_reliability"][3]["mean_probability"] == 0.25);  // 20 to 50 %
  REQUIRE(page["result"]["oom_reliability"][3]["ran"] == 1);
}

}  // namespace stepcast
