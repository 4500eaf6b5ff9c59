// The report as one page: no script, nothing loaded, every figure also as a table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/units.h"
#include "report/charts.h"
#include "report/report.h"
#include "report/style.h"

namespace velum::report {

namespace {

using Row = std::vector<std::string>;

// The page so far, and how many pictures it has.
struct Page {
  std::string body;
  std::vector<std::pair<std::string, std::string>> sections;  // id, title
  int figures = 0;

  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(body), format, std::forward<Args>(args)...);
  }
};

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

// With its sign, and none where nothing is left of it.
std::string difference(double x, int digits) {
  const double steps = std::pow(10, digits);
  return fmt::format("{:+.{}f}", std::round(x * steps) / steps + 0.0, digits);
}

std::string or_dash(const std::optional<double>& x) {
  return x ? fmt::format("{:.4f}", *x) : "\u2013";
}

// The first row is the head; the first `names` columns are text, the first of them the name of the row.
std::string table(const std::vector<Row>& rows, const std::string& caption = "", std::size_t names = 1) {
  std::string out = "<table>\n";
  auto at = std::back_inserter(out);
  if (!caption.empty()) fmt::format_to(at, "<caption>{}</caption>\n", escape(caption));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += r == 0 ? "<thead><tr>" : "<tr>";
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const bool heading = r == 0 || c == 0;
      fmt::format_to(at, "<{}{}{}>{}</{}>", heading ? "th" : "td",
                     r == 0   ? " scope=\"col\""
                     : c == 0 ? " scope=\"row\""
                              : "",
                     c < names ? " class=\"name\"" : "", escape(rows[r][c]), heading ? "th" : "td");
    }
    out += r == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

void section(Page& page, const std::string& id, const std::string& title) {
  page.sections.emplace_back(id, title);
  page.add("<h2 id=\"{}\">{}</h2>\n", id, escape(title));
}

void figure(Page& page, const Svg& svg, const std::string& caption,
            const std::string& figures_as_table = "") {
  page.add("<figure>\n<figcaption><h3>{}</h3>{}</figcaption>\n", escape(svg.title), escape(caption));
  page.body += to_string(svg, fmt::format("figure-{}", ++page.figures));
  if (!figures_as_table.empty())
    page.add("<details><summary>Figures</summary>\n{}</details>\n", figures_as_table);
  page.body += "</figure>\n";
}

void tile(Page& page, const std::string& name, const std::string& value, const std::string& more) {
  page.add("<dl class=\"tile\"><dt>{}</dt><dd>{}<small>{}</small></dd></dl>\n", escape(name), escape(value),
           escape(more));
}

// "teacher 99.31 %" for every evaluation but the first.
template <typename Text>
std::string others(const Report& r, Text text) {
  std::string out;
  for (std::size_t i = 1; i < r.evaluations.size(); ++i)
    out += fmt::format("{}{} {}", i > 1 ? ", " : "", r.evaluations[i].name, text(r.evaluations[i].metrics));
  return out;
}

void add_headlines(Page& page, const Report& r) {
  page.body += "<div class=\"tiles\">\n";
  for (const auto& h : r.headlines) tile(page, h.name, h.value, h.more);
  page.body += "</div>\n";
}

void add_tiles(Page& page, const Report& r) {
  const auto& m = r.evaluations.front().metrics;
  page.body += "<div class=\"tiles\">\n";
  tile(page, "Accuracy", percent(m.accuracy),
       others(r, [](const Metrics& x) { return percent(x.accuracy); }));
  tile(page, "Macro F1", fmt::format("{:.4f}", m.macro_f1),
       others(r, [](const Metrics& x) { return fmt::format("{:.4f}", x.macro_f1); }));
  tile(page, "Macro AUC", or_dash(m.auc), others(r, [](const Metrics& x) { return or_dash(x.auc); }));
  tile(page, "Images", format_count(m.images), fmt::format("{} classes", m.classes.size()));
  page.body += "</div>\n";
}

void add_comparison(Page& page, const Report& r) {
  if (r.evaluations.size() < 2) return;
  section(page, "comparison", "Side by side");
  std::vector<Row> rows{{""}, {"images"}, {"accuracy"}, {"macro F1"}, {"macro AUC"}};
  const auto& first = r.evaluations.front().metrics;
  for (std::size_t i = 0; i < r.evaluations.size(); ++i) {
    const auto& m = r.evaluations[i].metrics;
    rows[0].push_back(r.evaluations[i].name);
    rows[1].push_back(std::to_string(m.images));
    rows[2].push_back(percent(m.accuracy));
    rows[3].push_back(fmt::format("{:.4f}", m.macro_f1));
    rows[4].push_back(or_dash(m.auc));
    if (i == 0 || !r.evaluations[i].same_images) continue;
    rows[0].push_back("difference");
    rows[1].push_back("");
    rows[2].push_back(difference(100 * (m.accuracy - first.accuracy), 2));
    rows[3].push_back(difference(m.macro_f1 - first.macro_f1, 4));
    rows[4].push_back(m.auc && first.auc ? difference(*m.auc - *first.auc, 4) : "\u2013");
  }
  page.add(
      "<div class=\"panel\">{}<p class=\"remark\">Differences are to the first column, on the same images, "
      "those of "
      "accuracy in percentage points.</p></div>\n",
      table(rows));
}

// From where on the curves crowd: all of them lie within a fifth of what they cross in all, over two fifths
// of the way and more (a straight line comes so far in one). Nothing where they do not, or do from the
// beginning.
std::optional<double> crowded_from(const std::vector<Series>& series) {
  constexpr double kFifth = 0.2, kLeastPart = 0.4;
  std::vector<Point> points;
  for (const auto& s : series)
    for (const auto& p : s.points)
      if (std::isfinite(p.y)) points.push_back(p);
  if (points.size() < 2) return {};
  std::ranges::sort(points, [](const Point& a, const Point& b) { return a.x > b.x; });
  const auto [low, high] = std::ranges::minmax(points, {}, &Point::y);
  const double whole = high.y - low.y, first = points.back().x, last = points.front().x;
  double least = points.front().y, most = least, from = last;
  for (std::size_t i = 0; i < points.size();) {
    const double x = points[i].x;
    for (; i < points.size() && points[i].x == x; ++i) {
      least = std::min(least, points[i].y);
      most = std::max(most, points[i].y);
    }
    if (most - least > kFifth * whole) break;
    from = x;
  }
  return from > first && last - from >= kLeastPart * (last - first) ? std::optional(from) : std::nullopt;
}

// The chart, and a second one of the part where its curves crowd.
void add_curves(Page& page, const std::string& title, const std::string& description, const AxisNames& names,
                const std::vector<Series>& series, const std::string& caption, const std::string& figures) {
  figure(page, line_chart(title, description, names, series), caption, figures);
  const auto from = crowded_from(series);
  if (!from) return;
  auto some = series;
  for (auto& s : some) std::erase_if(s.points, [&](const Point& p) { return p.x < *from; });
  figure(page,
         line_chart(fmt::format("{}: from {:g} on", title, *from),
                    "The last part of the same curves, enlarged.", names, some),
         "The same curves where they lie close together.");
}

// Accuracy and loss, one pair of pictures for each network that was trained.
void add_history_figures(Page& page, const std::vector<Epoch>& history, const std::string& of) {
  Series train{"training", {}}, validation{"validation", {}}, train_loss{"training", {}},
      validation_loss{"validation", {}}, replaced{"quadratic", {}};
  const bool replacing =
      std::ranges::any_of(history, [](const Epoch& e) { return e.replaced && *e.replaced < 1; });
  std::vector<Row> rows{{"epoch", "loss", "training accuracy", "validation loss", "validation accuracy"}};
  if (replacing) rows[0].push_back("replaced");
  for (const auto& e : history) {
    const auto x = static_cast<double>(e.epoch);
    train.points.push_back({x, e.train_accuracy});
    train_loss.points.push_back({x, e.loss});
    if (e.validation_accuracy) validation.points.push_back({x, *e.validation_accuracy});
    if (e.validation_loss) validation_loss.points.push_back({x, *e.validation_loss});
    if (e.replaced) replaced.points.push_back({x, *e.replaced});
    rows.push_back({std::to_string(e.epoch), fmt::format("{:.4f}", e.loss), percent(e.train_accuracy),
                    or_dash(e.validation_loss),
                    e.validation_accuracy ? percent(*e.validation_accuracy) : "\u2013"});
    if (replacing) rows.back().push_back(e.replaced ? percent(*e.replaced) : "\u2013");
  }
  const auto lines = [](Series a, Series b) {
    std::vector<Series> all{std::move(a)};
    if (!b.points.empty()) all.push_back(std::move(b));
    return all;
  };
  add_curves(page, "Accuracy by epoch" + of,
             fmt::format("Accuracy over {} epochs; {} on training images in the last.", history.size(),
                         percent(history.back().train_accuracy)),
             {"epoch", "accuracy", true, true}, lines(train, validation),
             "Training accuracy is over the epoch, on augmented images.", table(rows));
  add_curves(
      page, "Loss by epoch" + of,
      fmt::format("Loss over {} epochs; {:.4f} in the last.", history.size(), history.back().loss),
      {"epoch", "loss", false, true}, lines(train_loss, validation_loss),
      "The training loss includes distillation and penalties where they are on; the validation loss is cross "
      "entropy.",
      "");
  if (replacing)
    figure(page,
           line_chart("ReLU replaced, by epoch" + of,
                      "Share of the activations that is quadratic, over the epochs.",
                      {"epoch", "share", true, true}, {replaced}),
           "An activation is share times quadratic plus the rest times ReLU until it is all quadratic.");
}

void add_history(Page& page, const Report& r) {
  if (r.history.empty() && r.teacher_history.empty()) return;
  section(page, "training", "Training");
  page.body += "<div class=\"figures\">\n";
  if (!r.history.empty()) add_history_figures(page, r.history, "");
  if (!r.teacher_history.empty())
    add_history_figures(page, r.teacher_history, ", ReLU network trained first");
  page.body += "</div>\n";
}

Row named(const std::string& name, const std::vector<std::size_t>& counts) {
  Row row{name};
  for (const auto n : counts) row.push_back(std::to_string(n));
  return row;
}

std::string confusion_table(const Metrics& m) {
  std::vector<Row> rows{{"true \\ predicted"}};
  for (const auto& c : m.classes) rows[0].push_back(c.name);
  for (std::size_t c = 0; c < m.classes.size(); ++c) rows.push_back(named(m.classes[c].name, m.confusion[c]));
  return table(rows);
}

// The largest entries off the diagonal.
constexpr std::size_t kMistakes = 12;

std::string mistakes_table(const Metrics& m) {
  const auto all = most_frequent_mistakes(m, kMistakes);
  std::vector<Row> rows{{"true class", "taken for", "images", "of the class"}};
  for (const auto& x : all)
    rows.push_back({m.classes[x.truth].name, m.classes[x.said].name, std::to_string(x.images),
                    percent(static_cast<double>(x.images) / static_cast<double>(m.classes[x.truth].images))});
  return rows.size() > 1 ? table(rows, "", 2) : "<p>None.</p>";
}

std::string confusion_table(const Metrics& m, const Metrics& against) {
  std::vector<Row> rows{{"true \\ predicted"}};
  for (const auto& c : m.classes) rows[0].push_back(c.name);
  for (std::size_t t = 0; t < m.classes.size(); ++t) {
    rows.push_back({m.classes[t].name});
    for (std::size_t p = 0; p < m.classes.size(); ++p)
      rows.back().push_back(count_and_difference(m.confusion[t][p], against.confusion[t][p]));
  }
  return table(rows);
}

// The encrypted network's matrix, with what the clear one has otherwise.
void add_paired_confusion(Page& page, const Evaluation& encrypted, const Evaluation& clear) {
  const auto& m = encrypted.metrics;
  std::size_t differing = 0;
  for (std::size_t t = 0; t < m.classes.size(); ++t)
    for (std::size_t p = 0; p < m.classes.size(); ++p)
      differing += m.confusion[t][p] != clear.metrics.confusion[t][p];
  figure(page,
         confusion_chart(fmt::format("Confusion matrix, {} and {}", encrypted.name, clear.name), m,
                         &clear.metrics),
         differing == 0
             ? fmt::format("The {} network's, and the {} one's: they are equal.", encrypted.name, clear.name)
             : fmt::format("The {} network's; {} {} from the {} one's, by the number that is given with its "
                           "sign. Shade: "
                           "share of the true class.",
                           encrypted.name, differing, differing == 1 ? "entry differs" : "entries differ",
                           clear.name),
         confusion_table(m, clear.metrics));
  if (m.classes.size() > 2)
    page.add("<figure><figcaption><h3>Most frequent mistakes, {}</h3></figcaption>{}</figure>\n",
             escape(encrypted.name), mistakes_table(m));
}

void add_confusion(Page& page, const Report& r) {
  section(page, "confusion", "Confusion matrix");
  page.body += "<div class=\"figures\">\n";
  std::size_t first = 0;
  if (r.encrypted_and_clear && r.evaluations.size() >= 2) {
    add_paired_confusion(page, r.evaluations[0], r.evaluations[1]);
    first = 2;
  }
  for (std::size_t i = first; i < r.evaluations.size(); ++i) {
    const auto& e = r.evaluations[i];
    figure(
        page, confusion_chart(fmt::format("Confusion matrix, {}", e.name), e.metrics),
        "Shade: share of the true class. Mistakes are orange and by the square root, so that rare ones show.",
        confusion_table(e.metrics));
    if (e.metrics.classes.size() > 2)
      page.add("<figure><figcaption><h3>Most frequent mistakes, {}</h3></figcaption>{}</figure>\n",
               escape(e.name), mistakes_table(e.metrics));
  }
  page.body += "</div>\n";
}

// Curves drawn at most; the worst classes, where there are more.
constexpr std::size_t kRocCurves = 16;

// How many times the upper left corner can be enlarged so that every curve still comes well into it.
int enlargement(const std::vector<RocSeries>& series) {
  for (const int factor : {100, 50, 20, 10, 5}) {
    const double reach = 0.5 / factor;
    const auto comes_in = [&](const RocSeries& s) {
      return std::ranges::any_of(*s.curve, [&](const RocPoint& p) {
        return p.false_positive <= reach && p.true_positive >= 1 - reach;
      });
    };
    if (std::ranges::all_of(series, comes_in)) return factor;
  }
  return 1;
}

void add_roc_figures(Page& page, const std::string& title, std::vector<RocSeries> series) {
  std::erase_if(series, [](const RocSeries& s) { return !s.auc || s.curve->empty(); });
  if (series.empty()) return;
  std::string caption = "One class against the rest, ranked by its log odds.";
  if (series.size() > kRocCurves) {
    std::ranges::stable_sort(series, [](const auto& a, const auto& b) { return *a.auc < *b.auc; });
    caption += fmt::format(" The {} classes with the smallest areas, of {}.", kRocCurves, series.size());
    series.resize(kRocCurves);
  }
  figure(page, roc_chart(title, series, 1), caption);
  if (const int factor = enlargement(series); factor > 1)
    figure(page, roc_chart(title + ": upper left corner", series, factor),
           fmt::format("The same, enlarged {} times.", factor));
}

void add_roc(Page& page, const Report& r) {
  const auto defined = [](const Evaluation& e) { return e.metrics.auc.has_value(); };
  if (std::ranges::none_of(r.evaluations, defined)) return;
  section(page, "roc", "ROC curves");
  page.body += "<div class=\"figures\">\n";
  if (r.evaluations.front().metrics.classes.size() == 2) {
    // The curves of the two classes mirror each other: one is enough, and all networks fit in one picture.
    std::vector<RocSeries> series;
    for (const auto& e : r.evaluations)
      if (e.metrics.classes.size() == 2)
        series.push_back({e.name, e.metrics.classes[1].auc, &e.metrics.classes[1].roc});
    add_roc_figures(page,
                    fmt::format("ROC, {} against {}", r.evaluations.front().metrics.classes[1].name,
                                r.evaluations.front().metrics.classes[0].name),
                    series);
  } else {
    for (const auto& e : r.evaluations) {
      std::vector<RocSeries> series;
      for (const auto& c : e.metrics.classes) series.push_back({c.name, c.auc, &c.roc});
      add_roc_figures(page, fmt::format("ROC by class, {}", e.name), series);
    }
  }
  page.body += "</div>\n";
}

void add_classes(Page& page, const Report& r) {
  section(page, "classes", "By class");
  page.body += "<div class=\"figures\">\n";
  figure(page, f1_chart(r.evaluations), "");
  for (const auto& e : r.evaluations) {
    std::vector<Row> rows{{"class", "images", "precision", "recall", "F1", "AUC"}};
    for (const auto& c : e.metrics.classes)
      rows.push_back({c.name, std::to_string(c.images), fmt::format("{:.4f}", c.precision),
                      fmt::format("{:.4f}", c.recall), fmt::format("{:.4f}", c.f1), or_dash(c.auc)});
    page.add("<figure>{}</figure>\n", table(rows, fmt::format("By class, {}", e.name)));
  }
  page.body += "</div>\n";
}

std::string unit_table(const Activation& a) {
  const bool started = std::ranges::any_of(a.units, [](const Unit& u) { return u.start.has_value(); });
  std::vector<Row> rows{{"unit", "from", "to", "a", "b", "c"}};
  if (started) rows[0].insert(rows[0].end(), {"a at start", "b at start", "c at start"});
  const auto number = [](double x) { return fmt::format("{:.4g}", x); };
  for (const auto& u : a.units) {
    rows.push_back({std::to_string(u.element), number(u.low), number(u.high), number(u.curve.a),
                    number(u.curve.b), number(u.curve.c)});
    if (u.start)
      rows.back().insert(rows.back().end(), {number(u.start->a), number(u.start->b), number(u.start->c)});
  }
  return table(rows);
}

std::string range_text(const std::optional<model::Range>& r) {
  return r ? fmt::format("{:.3g} to {:.3g}", r->low, r->high) : "\u2013";
}

std::string range_table(const std::vector<Activation>& all) {
  std::vector<Row> rows{{"activation", "function", "units", "input", "rms", "output", "rms", "planned input",
                         "teacher's input"}};
  for (const auto& a : all)
    rows.push_back({a.name, a.relu ? "ReLU" : "quadratic", std::to_string(a.elements), range_text(a.input),
                    fmt::format("{:.3g}", a.input.rms), range_text(a.output),
                    fmt::format("{:.3g}", a.output.rms), range_text(a.planned), range_text(a.teacher)});
  return table(rows, "", 2);
}

void add_activations(Page& page, const Report& r) {
  if (r.activations.empty()) return;
  section(page, "activations", "Activations");
  page.body += "<div class=\"figures\">\n";
  bool started = false;
  for (const auto& a : r.activations)
    for (const auto& u : a.units) started |= u.start.has_value();
  figure(page, range_chart(r.activations),
         "Least and greatest value over the images, before and after each activation; the planner relies on "
         "the range "
         "planned for.",
         range_table(r.activations));
  for (const auto& a : r.activations)
    figure(page, activation_chart(a),
           a.relu ? "ReLU."
                  : fmt::format("{} of {} units over what each sees{}; dashed: ReLU.", a.units.size(),
                                a.elements, started ? ", dotted as training began" : ""),
           a.relu ? "" : unit_table(a));
  page.body += "</div>\n";
}

void add_steps(Page& page, const Report& r) {
  if (r.steps.empty()) return;
  section(page, "time", "Encrypted evaluation");
  const bool predicted =
      std::ranges::any_of(r.steps, [](const StepTime& s) { return s.predicted.has_value(); });
  const bool probed = std::ranges::any_of(r.steps, [](const StepTime& s) { return s.precision.has_value(); });
  std::vector<Row> rows{{"step", "seconds"}};
  if (predicted) rows[0].push_back("predicted");
  if (probed) rows[0].insert(rows[0].end(), {"precision in bits", "noise alone"});
  const auto or_nothing = [](const std::optional<double>& x, int digits) {
    return x ? fmt::format("{:.{}g}", *x, digits) : std::string();
  };
  for (const auto& s : r.steps) {
    rows.push_back({s.name, fmt::format("{:.4g}", s.seconds)});
    if (predicted) rows.back().push_back(or_nothing(s.predicted, 4));
    if (probed) {
      rows.back().push_back(or_nothing(s.precision, 3));
      rows.back().push_back(or_nothing(s.noise_precision, 3));
    }
  }
  page.body += "<div class=\"figures\">\n";
  figure(page, step_chart(r.steps), predicted ? "Thin bars: as the plan predicted." : "", table(rows));
  if (probed)
    figure(page, precision_chart(r.steps),
           "Bits of each layer's largest value that are right, against the clear network; thin bars: what "
           "encryption "
           "alone would leave, without the rounding of weights.");
  page.body += "</div>\n";
}

void add_facts(Page& page, const Report& r) {
  if (r.facts.empty()) return;
  section(page, "origin", "How it came about");
  page.body += "<dl class=\"panel facts\">\n";
  for (const auto& fact : r.facts)
    page.add("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(fact.name), escape(fact.value));
  page.body += "</dl>\n";
}

}  // namespace

std::string to_html(const Report& r) {
  Page page;
  if (!r.headlines.empty()) add_headlines(page, r);
  if (!r.evaluations.empty()) {
    if (r.headlines.empty()) add_tiles(page, r);
    add_comparison(page, r);
  }
  add_history(page, r);
  if (!r.evaluations.empty()) {
    add_confusion(page, r);
    add_roc(page, r);
    add_classes(page, r);
  }
  add_steps(page, r);
  add_activations(page, r);
  add_facts(page, r);

  std::string links, notes;
  for (const auto& [id, title] : page.sections)
    links += fmt::format("<a href=\"#{}\">{}</a>", id, escape(title));
  for (const auto& note : r.notes) notes += fmt::format("<li>{}</li>", escape(note));
  if (!notes.empty()) notes = fmt::format("<div class=\"notes\" role=\"note\"><ul>{}</ul></div>\n", notes);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{0}</h1>\n<p>{2}</p>\n<nav "
      "aria-label=\"Sections\">"
      "{3}</nav>\n</header>\n{4}{5}<footer>Made by Velum. This page loads nothing and runs no "
      "script.</footer>\n"
      "</main>\n</body>\n</html>\n",
      escape(r.title), style_sheet(), escape(r.subtitle), links, notes, page.body);
}

}  // namespace velum::report
