#include "cli/http_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/input_error.h"

namespace stepcast {
namespace {

constexpr const char* this_machine = "127.0.0.1";
constexpr const char* json_type = "application/json";

// Threads only hold connections; work is done by worker processes.
constexpr std::size_t num_threads = 16;
constexpr time_t connection_seconds = 5;

void set_answer(httplib::Response& response, const ServedAnswer& answer, const std::string& type) {
  response.status = answer.status;
  response.set_content(answer.json, type);
}

// SO_REUSEPORT, the library's default, would let a second server take the same port unseen.
void set_socket_options(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

const char* reason_of(int status) {
  switch (status) {
    case 413:
      return "the body is too large";
    case 414:
      return "the address is too long";
    case 400:
      return "this is not HTTP as it should be";
    default:
      return "the request cannot be answered";
  }
}

}  // namespace

struct HttpServer::State {
  explicit State(std::vector<Route> all) : routes(std::move(all)) {}

  // Why a request is refused before anything is done.
  std::optional<ServedAnswer> refused(const httplib::Request& request,
                                      httplib::Response& response) const {
    const std::string host = request.get_header_value("Host");
    if (request.get_header_value_count("Host") != 1 || !is_own(host)) {
      return refusal(403, fmt::format("found Host \"{}\", expected 127.0.0.1:{}", host, port),
                     "open the address that the program printed");
    }
    const std::string origin = request.get_header_value("Origin");
    if (!origin.empty() && !(origin.starts_with("http://") && is_own(origin.substr(7)))) {
      return refusal(403,
                     fmt::format("found Origin \"{}\", expected none or http://{}", origin, host),
                     "pages of other sites may not ask");
    }
    const Route* route = route_at(request.path);
    if (route == nullptr) {
      return refusal(404, "there is nothing at this path", "the page is at /");
    }
    if (method_of(request) != route->method) {
      response.set_header("Allow", route->method);
      return refusal(405, fmt::format("found {}, expected {}", request.method, route->method), {});
    }
    return route->method == "POST" ? refused_body(request) : std::nullopt;
  }

  std::optional<ServedAnswer> refused_body(const httplib::Request& request) const {
    const std::string type = request.get_header_value("Content-Type");
    if (type.substr(0, type.find(';')) != json_type) {
      return refusal(415, fmt::format("found Content-Type \"{}\", expected application/json", type),
                     "send the scenario as JSON");
    }
    if (request.has_header("Content-Encoding")) {
      return refusal(415, "the body is packed", "send it as it is");
    }
    return std::nullopt;
  }

  bool is_own(const std::string& host) const {
    return host == fmt::format("127.0.0.1:{}", port) || host == fmt::format("localhost:{}", port);
  }

  static std::string method_of(const httplib::Request& request) {
    return request.method == "HEAD" ? "GET" : request.method;
  }

  const Route* route_at(const std::string& path) const {
    const auto route = std::find_if(routes.begin(), routes.end(),
                                    [&](const Route& one) { return one.path == path; });
    return route == routes.end() ? nullptr : &*route;
  }

  void set_limits() {
    server.new_task_queue = [] { return new httplib::ThreadPool(num_threads); };
    server.set_socket_options(set_socket_options);
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(connection_seconds);
    server.set_write_timeout(connection_seconds);
    server.set_payload_max_length(largest_body);
    server.set_default_headers({{"Cache-Control", "no-store"},
                                {"X-Content-Type-Options", "nosniff"},
                                {"X-Frame-Options", "DENY"},
                                {"Referrer-Policy", "no-referrer"}});
  }

  void set_handlers() {
    server.set_pre_routing_handler([this](const auto& request, auto& response) {
      const std::optional<ServedAnswer> answer = refused(request, response);
      if (!answer) return httplib::Server::HandlerResponse::Unhandled;
      set_answer(response, *answer, json_type);
      return httplib::Server::HandlerResponse::Handled;
    });
    server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      set_answer(response, refusal(response.status, reason_of(response.status), {}), json_type);
    });
    server.set_exception_handler([](const auto&, auto& response, std::exception_ptr fault) {
      try {
        std::rethrow_exception(fault);
      } catch (const std::exception& error) {
        set_answer(response, refusal(500, std::string("internal fault: ") + error.what(), {}),
                   json_type);
      }
    });
    for (const Route& route : routes) {
      const httplib::Server::Handler handler = [&route](const auto& request, auto& response) {
        const ServedAnswer answer = route.answer(request.body);
        set_answer(response, answer, answer.status == 200 ? route.content_type : json_type);
      };
      route.method == "POST" ? server.Post(route.path, handler) : server.Get(route.path, handler);
    }
  }

  std::vector<Route> routes;
  int port = 0;
  httplib::Server server;
};

HttpServer::HttpServer(std::vector<Route> routes)
    : state_(std::make_unique<State>(std::move(routes))) {
  state_->set_limits();
  state_->set_handlers();
}

HttpServer::~HttpServer() = default;

int HttpServer::bind(int port) {
  httplib::Server& server = state_->server;
  const bool bound = port == 0 ? (port = server.bind_to_any_port(this_machine)) > 0
                               : server.bind_to_port(this_machine, port);
  if (!bound) {
    throw InputError(
        {"--port", ""},
        fmt::format("port {} of 127.0.0.1 cannot be had: {}", port, std::strerror(errno)),
        "name another port, or 0 for any that is free");
  }
  return state_->port = port;
}

bool HttpServer::listen() { return state_->server.listen_after_bind(); }

void HttpServer::stop() { state_->server.stop(); }

}  // namespace stepcast
