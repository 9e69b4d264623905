#include "sim/search/sweep_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>

#include "base/input_error.h"

namespace stepcast {
namespace {

constexpr int schema_version = 1;
constexpr int application_id = 0x53746370;  // "Stcp": says that the file is ours

constexpr const char* tables = R"(
CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE variants (variant INTEGER PRIMARY KEY, name TEXT NOT NULL, error TEXT);
CREATE TABLE layouts (
  layout INTEGER PRIMARY KEY,
  variant INTEGER NOT NULL REFERENCES variants,
  choices TEXT NOT NULL,
  memory_bound_bytes REAL,
  oom_probability_bound REAL,
  step_time_bound_s REAL,
  analytic_step_time_s REAL,
  error TEXT);
CREATE TABLE results (
  layout INTEGER PRIMARY KEY REFERENCES layouts,
  step_time_s REAL,
  peak_bytes REAL,
  oom_probability REAL,
  tokens_per_s REAL,
  mfu REAL,
  bubble_fraction REAL,
  usd_per_hour REAL,
  usd_per_million_tokens REAL,
  training_hours REAL,
  training_usd REAL,
  energy_kwh REAL,
  engine TEXT,
  certified INTEGER,
  bottleneck TEXT,
  error TEXT);
)";

InputError refusal(const std::string& file, const std::string& problem, const std::string& hint) {
  return InputError({file, ""}, problem, hint);
}

constexpr const char* other_file = "--db takes another file, or a new one";

void bind_number(SQLite::Statement& statement, int column, const std::optional<double>& value) {
  if (value) {
    statement.bind(column, *value);
  } else {
    statement.bind(column);
  }
}

void bind_error(SQLite::Statement& statement, int column, const std::string& error) {
  if (error.empty()) {
    statement.bind(column);
  } else {
    statement.bind(column, error);
  }
}

std::optional<double> number(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getDouble();
}

std::optional<double> analytic_seconds(const LayoutBounds& bounds) {
  if (!bounds.analytic) return std::nullopt;
  return bounds.analytic->value();
}

std::string text(const SQLite::Column& column) { return column.isNull() ? "" : column.getString(); }

std::int64_t integer(SQLite::Database& database, const std::string& query) {
  return database.execAndGet(query).getInt64();
}

}  // namespace

struct SweepDatabase::Connection {
  explicit Connection(const std::string& file)
      : database(file.empty() ? ":memory:" : file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("BEGIN EXCLUSIVE; COMMIT");  // fails where another sweep holds it
  }

  void create(const LayoutSpace& space, const std::string& program) {
    SQLite::Transaction transaction(database);
    database.exec(tables);
    database.exec(fmt::format("PRAGMA user_version = {}", schema_version));
    database.exec(fmt::format("PRAGMA application_id = {}", application_id));
    put("title", space.request().title);
    put("program", program);
    put("search", fingerprint(space.request()));
    put("layouts", std::to_string(space.size()));
    for (int v = 0; v < space.num_variants(); ++v) {
      const SearchVariant& variant = space.request().variants[static_cast<std::size_t>(v)];
      SQLite::Statement insert(database, "INSERT INTO variants VALUES (?, ?, ?)");
      insert.bind(1, v);
      insert.bind(2, variant.name);
      bind_error(insert, 3, variant.error);
      insert.exec();
    }
    transaction.commit();
  }

  void check(const std::string& file, const LayoutSpace& space, const std::string& program) {
    if (integer(database, "PRAGMA application_id") != application_id) {
      throw refusal(file, "this SQLite database is not a sweep's", other_file);
    }
    const std::int64_t version = integer(database, "PRAGMA user_version");
    if (version != schema_version) {
      throw refusal(file,
                    fmt::format("the database's schema is version {}, this program's is {}",
                                version, schema_version),
                    other_file);
    }
    if (get("program") != program) {
      throw refusal(
          file,
          fmt::format("its results are of version {}, this is version {}", get("program"), program),
          other_file);
    }
    if (get("search") != fingerprint(space.request()) ||
        get("layouts") != std::to_string(space.size())) {
      throw refusal(file,
                    fmt::format("the database belongs to another search, \"{}\"", get("title")),
                    "a sweep goes on from a database only where scenario and goal are the same; " +
                        std::string(other_file));
    }
  }

  void put(const char* key, const std::string& value) {
    SQLite::Statement insert(database, "INSERT INTO sweep VALUES (?, ?)");
    insert.bind(1, key);
    insert.bind(2, value);
    insert.exec();
  }

  std::string get(const char* key) {
    SQLite::Statement query(database, "SELECT value FROM sweep WHERE key = ?");
    query.bind(1, key);
    return query.executeStep() ? query.getColumn(0).getString() : "";
  }

  SQLite::Database database;
};

SweepDatabase::SweepDatabase(const std::string& file, const LayoutSpace& space,
                             const std::string& program)
    : space_(space) {
  try {
    connection_ = std::make_unique<Connection>(file);
    if (integer(connection_->database, "SELECT count(*) FROM sqlite_master") == 0) {
      connection_->create(space, program);
    } else {
      connection_->check(file, space, program);
    }
  } catch (const SQLite::Exception& fault) {
    const bool busy = fault.getErrorCode() == SQLITE_BUSY;
    throw refusal(file, busy ? "another sweep is writing to it" : fault.what(),
                  busy ? "wait for it, or name another file" : other_file);
  }
}

SweepDatabase::~SweepDatabase() = default;

std::vector<LayoutBounds> SweepDatabase::bounds() const {
  std::vector<LayoutBounds> known;
  SQLite::Statement query(connection_->database,
                          "SELECT layout, step_time_bound_s, memory_bound_bytes, "
                          "oom_probability_bound, analytic_step_time_s, error "
                          "FROM layouts ORDER BY layout");
  while (query.executeStep()) {
    LayoutBounds& bounds = known.emplace_back();
    bounds.layout = static_cast<std::size_t>(query.getColumn(0).getInt64());
    bounds.figures = {Seconds(number(query.getColumn(1)).value_or(0)),
                      Bytes(number(query.getColumn(2)).value_or(0)),
                      number(query.getColumn(3)).value_or(0)};
    if (const auto analytic = number(query.getColumn(4))) bounds.analytic = Seconds(*analytic);
    bounds.error = text(query.getColumn(5));
  }
  return known;
}

std::vector<LayoutRow> SweepDatabase::rows() const {
  std::vector<LayoutRow> known;
  SQLite::Statement query(connection_->database, "SELECT * FROM results ORDER BY layout");
  while (query.executeStep()) {
    LayoutRow& row = known.emplace_back();
    const auto at = [&](int column) { return number(query.getColumn(column)); };
    row.layout = static_cast<std::size_t>(query.getColumn(0).getInt64());
    row.figures = {Seconds(at(1).value_or(0)), Bytes(at(2).value_or(0)), at(3).value_or(0)};
    row.tokens_per_s = at(4).value_or(0);
    row.mfu = at(5).value_or(0);
    row.bubble_fraction = at(6).value_or(0);
    if (at(7)) row.cost = CostReport{*at(7), at(8).value_or(0), at(9), at(10), at(11)};
    row.engine = text(query.getColumn(12));
    row.certified = at(13).value_or(0) != 0;
    row.bottleneck = text(query.getColumn(14));
    row.error = text(query.getColumn(15));
  }
  return known;
}

void SweepDatabase::add(std::span<const LayoutBounds> all) {
  SQLite::Transaction transaction(connection_->database);
  SQLite::Statement insert(connection_->database,
                           "INSERT INTO layouts VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const LayoutBounds& bounds : all) {
    const LayoutFigures& figures = bounds.figures;
    const bool failed = !bounds.error.empty();
    insert.bind(1, static_cast<std::int64_t>(bounds.layout));
    insert.bind(2, space_.variant_of(bounds.layout));
    insert.bind(3, space_.choices_text(bounds.layout));
    bind_number(insert, 4, failed ? std::nullopt : std::optional(figures.memory.value()));
    bind_number(insert, 5, failed ? std::nullopt : std::optional(figures.oom_probability));
    bind_number(insert, 6, failed ? std::nullopt : std::optional(figures.step_time.value()));
    bind_number(insert, 7, analytic_seconds(bounds));
    bind_error(insert, 8, bounds.error);
    insert.exec();
    insert.reset();
  }
  transaction.commit();
}

void SweepDatabase::tighten(const LayoutBounds& bounds) {
  SQLite::Statement update(connection_->database,
                           "UPDATE layouts SET analytic_step_time_s = ? WHERE layout = ?");
  bind_number(update, 1, analytic_seconds(bounds));
  update.bind(2, static_cast<std::int64_t>(bounds.layout));
  update.exec();
}

void SweepDatabase::add(const LayoutRow& row) {
  SQLite::Statement insert(
      connection_->database,
      "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, static_cast<std::int64_t>(row.layout));
  if (row.error.empty()) {
    const std::optional<CostReport>& cost = row.cost;
    insert.bind(2, row.figures.step_time.value());
    insert.bind(3, row.figures.memory.value());
    insert.bind(4, row.figures.oom_probability);
    insert.bind(5, row.tokens_per_s);
    insert.bind(6, row.mfu);
    insert.bind(7, row.bubble_fraction);
    if (cost) {
      insert.bind(8, cost->usd_per_hour);
      insert.bind(9, cost->usd_per_million_tokens);
      bind_number(insert, 10, cost->training_hours);
      bind_number(insert, 11, cost->training_usd);
      bind_number(insert, 12, cost->energy_kwh);
    }
    insert.bind(13, row.engine);
    insert.bind(14, row.certified ? 1 : 0);
    insert.bind(15, row.bottleneck);
  }
  bind_error(insert, 16, row.error);
  insert.exec();
}

}  // namespace stepcast
