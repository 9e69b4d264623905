// A model written out whole, to compare imported ones by.
#pragma once

#include <nlohmann/json.hpp>

#include "base/fields.h"
#include "models/transformer.h"
#include "scenarios/catalogue.h"

namespace stepcast::test {

inline nlohmann::json whole_model(const nlohmann::json& written) {
  Catalogue catalogue(catalogue_folder());
  Transformer model;
  read_fields(written, {"model", ""}, catalogue, [&](Fields& f) { describe(f, model); });
  return write_fields([&](Fields& f) { describe(f, model); }, true);
}

inline nlohmann::json catalogue_model(const std::string& name) {
  return whole_model(*Catalogue(catalogue_folder()).resolve("models", name, {}).json);
}

}  // namespace stepcast::test
