// What the page of `stepcast serve` is given, without a word of HTTP: what its form offers, and the
// answer to a scenario.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/confined.h"

namespace stepcast {

/// JSON, with the status that HTTP gives it.
struct ServedAnswer {
  int status = 200;
  std::string json;
};

/// The page, which holds what its form offers:
///
///   fields      in order: the JSON pointer of a key, its group, what it means, and either the
///   words
///               it may be, or from which number on, or that it is a switch
///   scenarios   to start from: title and scenario
///
/// Words of named parts are the catalogue's, all else comes from the scenario's schema. Throws as
/// html_template() does.
std::string served_page(std::span<const WrittenScenario> scenarios);

/// Predicts a scenario that stands in `folder` (scenarios/confined.h) on the event engine. 200:
/// what a report's page holds, with the result as `predict --format json` prints it, links apart.
/// 400: the error.
ServedAnswer answer_scenario(std::string_view text, const std::string& folder);

/// An answer with an error: {"error": {"pointer", "problem", "details", "hint"}}, and "file" where
/// the fault is in a part's own file; empty ones are left out.
ServedAnswer refusal(int status, const std::string& problem, const std::string& hint);

}  // namespace stepcast
