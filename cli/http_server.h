// HTTP for programs and pages of this machine: a few routes with JSON on 127.0.0.1. The only place
// that includes the HTTP library.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reports/served_page.h"

namespace stepcast {

struct Route {
  std::string method;  ///< GET or POST; HEAD goes where GET does
  std::string path;    ///< whole, as it is asked for
  std::string content_type;
  std::function<ServedAnswer(const std::string& body)> answer;
};

/// Refused with an error in JSON, before anything is done:
///
///   403  a Host other than this machine's own name and port (a name that a foreign page lets point
///        here: DNS rebinding), or an Origin other than the page's own
///   404  a path that is no route; 405 another method than the route's, with Allow
///   413  a body of more than largest_body bytes; 415 a body that is not application/json, or
///   packed 400  what is no HTTP
///
/// A connection carries one request, and must send it and take its answer within seconds.
class HttpServer {
 public:
  static constexpr std::size_t largest_body = 256 * 1024;

  explicit HttpServer(std::vector<Route> routes);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Takes a port of 127.0.0.1 (0: a free one) and returns it. Throws InputError where it is taken.
  int bind(int port);
  /// Answers until another thread calls stop(), and to the end what was asked before. False where
  /// the system ended it.
  bool listen();
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stepcast
