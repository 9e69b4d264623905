#include "tests/support/small_scenario.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace stepcast::test {

using nlohmann::json;

std::string small_scenario(const std::string& patch) {
  json scenario = json::parse(R"({
    "schema": 1,
    "model": {"num_layers": 4, "hidden_size": 512, "num_attention_heads": 8, "vocab_size": 1024},
    "cluster": {"node": "dgx_a100_80gb", "nodes": 1},
    "plan": {"tensor_parallel": 2},
    "batch": {"global_batch": 16, "sequence_length": 128}
  })");
  scenario.merge_patch(json::parse(patch));
  return scenario.dump();
}

std::vector<Scenario> read_texts(const std::string& text, const ReadOptions& options) {
  return scenarios_from_json(parse_json(text, "scenario.json"), "scenario.json", options);
}

Scenario read_text(const std::string& text, const ReadOptions& options) {
  return read_texts(text, options).at(0);
}

std::string text_error(const std::string& text, const ReadOptions& options) {
  try {
    read_texts(text, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TemporaryFolder::TemporaryFolder() {
  static int count = 0;
  const std::string name =
      "stepcast_test_" + std::to_string(getpid()) + "_" + std::to_string(count++);
  path_ = std::filesystem::temp_directory_path() / name;
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& text) const {
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
  return file.string();
}

}  // namespace stepcast::test
