#include "scenarios/catalogue.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/near_names.h"
#include "cli/command.h"
#include "reports/json.h"

namespace stepcast {
namespace {

Answer run_list(const std::string& format) {
  const Catalogue catalogue(catalogue_folder());
  nlohmann::json parts = nlohmann::json::object();
  std::string text;
  for (const std::string& kind : catalogue.kinds()) {
    const std::vector<std::string> names = catalogue.names(kind);
    parts[kind] = names;
    text += kind + "\n";
    for (const std::string& name : names) text += "  " + name + "\n";
  }
  if (format == "json") return {json_text(parts)};
  return report(text);
}

// Every part as KIND/NAME that is called `name`, or is exactly that.
std::vector<std::string> parts_called(const std::string& name,
                                      const std::vector<std::string>& all) {
  std::vector<std::string> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&](const std::string& part) { return part == name || part.ends_with("/" + name); });
  return found;
}

std::vector<std::string> all_parts(const Catalogue& catalogue) {
  std::vector<std::string> parts;
  for (const std::string& kind : catalogue.kinds()) {
    for (const std::string& name : catalogue.names(kind))
      parts.push_back(fmt::format("{}/{}", kind, name));
  }
  return parts;
}

std::string hint_for(const std::string& name, const std::vector<std::string>& parts) {
  std::vector<std::string> names = parts;
  if (name.find('/') == std::string::npos) {
    for (std::string& part : names) part.erase(0, part.rfind('/') + 1);
  }
  const std::string hint = did_you_mean(name, names);
  return hint.empty() ? "`stepcast catalogue list` names them all" : hint;
}

Answer run_show(const std::string& name) {
  Catalogue catalogue(catalogue_folder());
  const std::vector<std::string> parts = all_parts(catalogue);
  const std::vector<std::string> found = parts_called(name, parts);
  if (found.empty()) {
    throw InputError({"catalogue show", "NAME"}, fmt::format("the catalogue has no \"{}\"", name),
                     hint_for(name, parts));
  }
  if (found.size() > 1) {
    throw InputError({"catalogue show", "NAME"},
                     fmt::format("the catalogue has several parts called \"{}\"", name),
                     "name its kind too, as in " + found.front(), found);
  }
  const std::size_t slash = found.front().rfind('/');
  const auto part =
      catalogue.resolve(found.front().substr(0, slash), found.front().substr(slash + 1), {});
  return {json_text(*part.json)};
}

void add_list(CLI::App& catalogue, Command& chosen) {
  CLI::App* command = catalogue.add_subcommand("list", "Every part by its kind");
  const auto format = std::make_shared<std::string>("text");
  command->add_option("--format", *format, "What to print")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  command->callback([format, &chosen] { chosen = [format] { return run_list(*format); }; });
}

void add_show(CLI::App& catalogue, Command& chosen) {
  CLI::App* command = catalogue.add_subcommand("show", "One part as JSON, with its source");
  const auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "A part's name, or KIND/NAME")->required()->type_name("");
  command->callback([name, &chosen] { chosen = [name] { return run_show(*name); }; });
}

}  // namespace

void add_catalogue(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "catalogue", "Models, GPUs, nodes, fabrics, prices and profiles that scenarios can name");
  add_list(*command, chosen);
  add_show(*command, chosen);
}

}  // namespace stepcast
