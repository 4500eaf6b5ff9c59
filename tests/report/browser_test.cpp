// The page in a real browser: its pictures are there, drawn, inside their frames, and on the screen.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/temp_folder.h"
#include "data/image.h"
#include "report/sample_report.h"

namespace velum::report {
namespace {

using nlohmann::json;
using testing::TempFolder;

// The first browser there is; empty where there is none.
std::string find_browser() {
  for (const std::string name : {"chromium", "chromium-browser", "google-chrome"})
    if (std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0) return name;
  return "";
}

int run_browser(const std::string& browser, const TempFolder& folder, const std::string& arguments) {
  const auto line = "cd " + folder.path() + " && HOME=" + folder.path() + " timeout 120 " + browser +
                    " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars"
                    " --virtual-time-budget=5000 --user-data-dir=" +
                    folder.path() + "/profile " + arguments + " 2>/dev/null";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void write(const TempFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / name, std::ios::binary) << text;
}

std::string read(const TempFolder& folder, const std::string& name) {
  const auto bytes = testing::slurp(folder / name);
  return {bytes.begin(), bytes.end()};
}

// A browser that cannot show a line of text here (no display libraries, a forbidden system call) says nothing
// about pages.
std::string working_browser() {
  const auto browser = find_browser();
  if (browser.empty()) return "";
  const TempFolder folder;
  write(folder, "line.html", "<p>velum works</p>");
  const int status =
      run_browser(browser, folder, "--dump-dom file://" + (folder / "line.html") + " > dom.html");
  return status == 0 && read(folder, "dom.html").find("velum works") != std::string::npos ? browser : "";
}

// Put into a copy of the page, measures every picture and leaves the result in its place.
constexpr const char* kMeasure = R"js(<script>
const pictures = [...document.querySelectorAll('svg.chart')].map(svg => {
  const frame = svg.getBoundingClientRect();
  const shapes = [...svg.querySelectorAll('path,rect,line,text')];
  const inside = s => { const b = s.getBoundingClientRect(), slack = 3;
    return s.closest('svg') !== svg || b.left >= frame.left - slack && b.right <= frame.right + slack &&
           b.top >= frame.top - slack && b.bottom <= frame.bottom + slack; };
  return {id: svg.id, title: svg.querySelector('title').textContent, width: frame.width, height: frame.height,
          shapes: shapes.length, drawn: shapes.filter(s => { const b = s.getBBox(); return b.width > 0 || b.height > 0; }).length,
          outside: shapes.filter(s => !inside(s)).map(s => s.outerHTML)};
});
const out = {pictures, scripts: document.querySelectorAll('svg script, main script').length,
             wide: document.documentElement.scrollWidth > window.innerWidth};
document.body.innerHTML = '';
const pre = document.createElement('pre');
pre.textContent = 'MEASURED' + encodeURIComponent(JSON.stringify(out)) + 'END';
document.body.append(pre);
</script>)js";

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return out;
}

json measured_in_browser(const std::string& browser, const TempFolder& folder, std::string page, int width) {
  // The page forbids scripts; the copy under test must allow its one.
  const auto policy = page.find("<meta http-equiv=\"Content-Security-Policy\"");
  EXPECT_NE(policy, std::string::npos);
  page.erase(policy, page.find('>', policy) + 1 - policy);
  page.insert(page.find("</body>"), kMeasure);
  write(folder, "measured.html", page);
  EXPECT_EQ(run_browser(browser, folder,
                        "--window-size=" + std::to_string(width) + ",2000 --dump-dom file://" +
                            (folder / "measured.html") + " > dom.html"),
            0);
  const auto dom = read(folder, "dom.html");
  const auto begin = dom.find("MEASURED"), end = dom.find("END", begin);
  if (begin == std::string::npos || end == std::string::npos) {
    ADD_FAILURE() << "the page was not measured: " << dom.substr(0, 400);
    return json::object();
  }
  return json::parse(decoded(dom.substr(begin + 8, end - begin - 8)));
}

TEST(Browser, EveryPictureIsDrawnInItsFrame) {
  const auto browser = working_browser();
  if (browser.empty()) GTEST_SKIP() << "no chromium that starts here (Debian package chromium)";
  const TempFolder folder;
  for (const auto& r : {test::sample_report(), test::two_class_report()}) {
    const auto page = to_html(r);
    for (const int width : {1240, 640}) {
      const auto found = measured_in_browser(browser, folder, page, width);
      ASSERT_TRUE(found.contains("pictures"));
      EXPECT_EQ(found["scripts"], 0);
      EXPECT_FALSE(found["wide"].get<bool>()) << "the page is wider than a window of " << width;
      std::string titles;
      for (const auto& p : found["pictures"]) {
        titles += p["title"].get<std::string>() + "\n";
        EXPECT_GT(p["width"].get<double>(), 150) << p["title"];
        EXPECT_GT(p["height"].get<double>(), 40) << p["title"];
        EXPECT_GT(p["shapes"].get<int>(), 5) << p["title"];
        EXPECT_EQ(p["drawn"], p["shapes"]) << p["title"];
        EXPECT_TRUE(p["outside"].empty()) << p["title"] << p["outside"].dump(1);
      }
      for (const auto* title :
           {"Accuracy by epoch", "Loss by epoch", "Confusion matrix, network", "F1 by class",
            "Ranges before and after each activation", "conv1_act", "Time by step", "ROC"})
        EXPECT_NE(titles.find(title), std::string::npos) << title << " is not among\n" << titles;
    }
  }
}

// Share of the pixels that are not of the page's ground, and of those close to a colour of the series.
struct Seen {
  double inked = 0, blue = 0, orange = 0;
};
Seen look(const TempFolder& folder, const std::string& name) {
  const auto bytes = testing::slurp(folder / name);
  const auto image = data::decode_image(bytes, name);
  EXPECT_EQ(image.channels, 3u);
  const auto near = [&](std::size_t at, int r, int g, int b) {
    const auto* p = image.pixels.data() + at;
    return std::abs(p[0] - r) + std::abs(p[1] - g) + std::abs(p[2] - b) < 24;
  };
  Seen seen;
  const auto pixels = image.width * image.height;
  for (std::size_t i = 0; i < pixels; ++i) {
    seen.inked +=
        !near(3 * i, image.pixels[0], image.pixels[1], image.pixels[2]) && !near(3 * i, 255, 255, 255);
    seen.blue += near(3 * i, 0x1c, 0x5f, 0xb0);
    seen.orange += near(3 * i, 0xd9, 0x65, 0x0f);
  }
  for (auto* share : {&seen.inked, &seen.blue, &seen.orange}) *share /= static_cast<double>(pixels);
  return seen;
}

TEST(Browser, TheScreenShowsThePictures) {
  const auto browser = working_browser();
  if (browser.empty()) GTEST_SKIP() << "no chromium that starts here (Debian package chromium)";
  const TempFolder folder;
  const auto shot = [&](const std::string& name, const Report& r) {
    write(folder, name + ".html", to_html(r));
    EXPECT_EQ(run_browser(browser, folder,
                          "--window-size=1240,6400 --screenshot=" + (folder / (name + ".png")) + " file://" +
                              (folder / (name + ".html"))),
              0);
    return look(folder, name + ".png");
  };
  // The page as it is, with its policy against scripts and other people's resources.
  const auto full = shot("full", test::sample_report());
  EXPECT_GT(full.inked, 0.04);
  EXPECT_GT(full.blue, 0.0022);
  EXPECT_GT(full.orange, 0.0015);
  // Without anything to draw there is next to nothing: what was seen above are the pictures.
  Report empty;
  empty.title = "Nothing";
  const auto none = shot("empty", empty);
  EXPECT_LT(none.inked, 0.004);
  EXPECT_LT(none.blue, 0.0005);
}

}  // namespace
}  // namespace velum::report
