// pixels_to_npy PIXELS.txt IMAGES.npy BORDER: the harness's images, a line of 784 values from 0 to 1 each, as
// an array of floats (images, side, side) that velum reads, without BORDER pixels on each side. A line that
// is anything else is refused by its number, and nothing is written then.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;

[[noreturn]] void refuse(const std::string& what) {
  throw std::runtime_error(what);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string place(const std::string& path, std::size_t line) {
  return path + ", line " + std::to_string(line + 1) + ": ";
}

// One line's values, exactly kPixels of them.
void read_line(std::string_view line, const std::string& where, float* out) {
  int count = 0;
  for (const char *p = line.data(), *end = p + line.size();;) {
    while (p != end && (*p == ' ' || *p == '\t' || *p == '\r')) ++p;
    if (p == end) break;
    float value = 0;
    const auto [next, fault] = std::from_chars(p, end, value);
    if (fault != std::errc() || !(value >= 0 && value <= 1))
      refuse(where + "value " + std::to_string(count + 1) + " is not a number from 0 to 1");
    if (next != end && *next != ' ' && *next != '\t' && *next != '\r')
      refuse(where + "value " + std::to_string(count + 1) + " runs into what follows");
    if (count == kPixels) refuse(where + "more than 784 values");
    out[count++] = value;
    p = next;
  }
  if (count != kPixels) refuse(where + std::to_string(count) + " values, 784 expected");
}

std::string header(std::size_t images, int side) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(images) + ", " +
                     std::to_string(side) + ", " + std::to_string(side) + "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string whole = "\x93NUMPY";
  whole += {'\1', '\0', static_cast<char>(text.size() % 256), static_cast<char>(text.size() / 256)};
  return whole + text;
}

void convert(const std::string& in, const std::string& out, int border) {
  const auto text = read(in);
  const int side = kSide - 2 * border;
  std::vector<float> values;
  std::size_t images = 0;
  float line[kPixels];
  for (std::size_t at = 0; at < text.size(); ++images) {
    const auto end = std::min(text.find('\n', at), text.size());
    read_line(std::string_view(text).substr(at, end - at), place(in, images), line);
    for (int row = border; row < border + side; ++row)
      values.insert(values.end(), line + row * kSide + border, line + row * kSide + border + side);
    at = end + 1;
  }
  if (images == 0) refuse(in + ": no image in it");
  const auto head = header(images, side);
  const auto temporary = out + ".new";
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(head.data(), static_cast<std::streamsize>(head.size()));
    file.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
    file.close();
    if (!file) refuse(temporary + ": cannot be written");
  }
  if (std::rename(temporary.c_str(), out.c_str()) != 0) refuse(out + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) refuse("usage: pixels_to_npy PIXELS.txt IMAGES.npy BORDER");
    int border = -1;
    const std::string_view given = argv[3];
    const auto [end, fault] = std::from_chars(given.data(), given.data() + given.size(), border);
    if (fault != std::errc() || end != given.data() + given.size() || border < 0 || 2 * border >= kSide)
      refuse("border " + std::string(given) + ": 0 to 13 expected");
    convert(argv[1], argv[2], border);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "pixels_to_npy: " << e.what() << '\n';
    return 2;
  }
}
