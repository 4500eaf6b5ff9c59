#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

int orientation_of(std::span<const std::uint8_t> file) {
  const WebPData data{file.data(), file.size()};
  const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data), &WebPDemuxDelete);
  if (!demuxer) return 1;
  WebPChunkIterator chunk;
  int orientation = 1;
  if (WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk)) {
    std::span<const std::uint8_t> block(chunk.chunk.bytes, chunk.chunk.size);
    if (block.size() > 6 && block[0] == 'E' && block[1] == 'x') block = block.subspan(6);  // as JPEG has it
    orientation = exif_orientation(block);
    WebPDemuxReleaseChunkIterator(&chunk);
  }
  return orientation;
}

}  // namespace

Image decode_webp(std::span<const std::uint8_t> file, const std::string& what) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK)
    fail_user("{}: corrupt WebP; copy the file again", what);
  if (features.has_animation) fail_user("{}: an animated WebP; save one of its images", what);
  const auto height = static_cast<std::size_t>(features.height),
             width = static_cast<std::size_t>(features.width);
  check_image_size(height, width, file.size() * 8, what);  // lossless WebP packs flat images tighter
  // With the transparency as a channel of its own, the colours stay as they are beneath it.
  std::vector<std::uint8_t> bytes(height * width * 4);
  if (!WebPDecodeRGBAInto(file.data(), file.size(), bytes.data(), bytes.size(), static_cast<int>(width * 4)))
    fail_user("{}: corrupt WebP; copy the file again", what);
  Image image{3, height, width, {}};
  image.transparent = features.has_alpha != 0;
  image.orientation = orientation_of(file);
  image.pixels.resize(height * width * 3);
  for (std::size_t i = 0; i < height * width; ++i)
    for (std::size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = bytes[4 * i + c];
  return image;
}

}  // namespace velum::data
