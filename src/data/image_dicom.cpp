#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/oflog/oflog.h>

#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

// No message here may hold a field of the header, which can name a patient: DCMTK's own messages are switched
// off, and its texts are not passed on.

// The decoders of a process, once: DCMTK keeps them in a list of its own.
void prepare_dcmtk() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DJDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
  });
}

struct PixelForm {
  Uint16 rows = 0, columns = 0, samples = 1, allocated = 0, stored = 0, high_bit = 0, is_signed = 0,
         planar = 0;
};

Uint16 required(DcmDataset& data, const DcmTagKey& tag, const char* name, const std::string& what) {
  Uint16 value = 0;
  if (data.findAndGetUint16(tag, value).bad())
    fail_user("{}: a DICOM file that does not say its {}; is it an image?", what, name);
  return value;
}

bool has(DcmDataset& data, const DcmTagKey& tag) {
  return data.tagExistsWithValue(tag);
}

std::string text(DcmDataset& data, const DcmTagKey& tag) {
  OFString value;
  data.findAndGetOFString(tag, value);
  while (!value.empty() && value.back() == ' ') value.pop_back();
  return value.c_str();
}

std::optional<double> number(DcmDataset& data, const DcmTagKey& tag) {
  Float64 value = 0;
  if (data.findAndGetFloat64(tag, value).bad()) return std::nullopt;
  return value;
}

const char* unread_packing(E_TransferSyntax syntax) {
  switch (syntax) {
    case EXS_JPEG2000LosslessOnly:
    case EXS_JPEG2000:
    case EXS_JPEG2000MulticomponentLosslessOnly:
    case EXS_JPEG2000Multicomponent:
      return "JPEG 2000";
    case EXS_JPEGLSLossless:
    case EXS_JPEGLSLossy:
      return "JPEG-LS";
    case EXS_MPEG2MainProfileAtMainLevel:
    case EXS_MPEG2MainProfileAtHighLevel:
      return "MPEG-2 video";
    default:
      return nullptr;
  }
}

PixelForm form_of(DcmDataset& data, std::size_t file_bytes, const std::string& what) {
  if (!has(data, DCM_Rows)) fail_user("{}: a DICOM file without an image", what);
  PixelForm f;
  f.rows = required(data, DCM_Rows, "rows", what);
  f.columns = required(data, DCM_Columns, "columns", what);
  f.allocated = required(data, DCM_BitsAllocated, "bits allocated", what);
  f.stored = required(data, DCM_BitsStored, "bits stored", what);
  data.findAndGetUint16(DCM_SamplesPerPixel, f.samples);
  data.findAndGetUint16(DCM_PixelRepresentation, f.is_signed);
  data.findAndGetUint16(DCM_PlanarConfiguration, f.planar);
  if (data.findAndGetUint16(DCM_HighBit, f.high_bit).bad()) f.high_bit = static_cast<Uint16>(f.stored - 1);
  check_image_size(f.rows, f.columns, file_bytes, what);
  if ((f.allocated != 8 && f.allocated != 16) || f.stored == 0 || f.stored > f.allocated ||
      f.high_bit + 1 < f.stored || f.high_bit >= f.allocated)
    fail_user("{}: a DICOM image of {} bits in {}; up to 16 bits in 8 or 16 are read", what, f.stored,
              f.allocated);
  long frames = 1;
  if (data.findAndGetLongInt(DCM_NumberOfFrames, frames).good() && frames != 1)
    fail_user("{}: a DICOM file of several frames; save each as a file of its own", what);
  for (const auto& [tag, name] :
       {std::pair{DCM_ModalityLUTSequence, "modality"}, {DCM_VOILUTSequence, "VOI"}})
    if (has(data, tag)) fail_user("{}: a DICOM image with a {} lookup table, which is not read", what, name);
  return f;
}

// What is made of a stored value of a grey image: rescaled, then through the window if there is one, else
// over the whole range of stored values; 0 to 1.
class GreyScale {
 public:
  GreyScale(DcmDataset& data, const PixelForm& f, const std::string& what)
      : slope_(number(data, DCM_RescaleSlope).value_or(1)),
        intercept_(number(data, DCM_RescaleIntercept).value_or(0)),
        centre_(number(data, DCM_WindowCenter)),
        width_(number(data, DCM_WindowWidth)),
        function_(text(data, DCM_VOILUTFunction)) {
    const double steps = std::ldexp(1.0, f.stored) - 1,
                 low = f.is_signed ? -std::ldexp(1.0, f.stored - 1) : 0;
    low_ = low * slope_ + intercept_;
    high_ = (low + steps) * slope_ + intercept_;
    if (low_ > high_) std::swap(low_, high_);  // a falling slope: the largest stored value is the darkest
    if (!centre_ || !width_) centre_ = width_ = std::nullopt;
    const bool linear = function_.empty() || function_ == "LINEAR";
    if (!std::isfinite(slope_) || !std::isfinite(intercept_) || slope_ == 0 ||
        (width_ && !(linear ? *width_ >= 1 : *width_ > 0)))
      fail_user("{}: damaged: a DICOM image with an impossible rescale slope or window", what);
    if (width_ && !linear && function_ != "LINEAR_EXACT" && function_ != "SIGMOID")
      fail_user("{}: a DICOM image with a window of an unknown shape", what);
  }

  // PS3.3 C.11.2.1: LINEAR, LINEAR_EXACT and SIGMOID.
  double operator()(double stored) const {
    const double x = stored * slope_ + intercept_;
    if (!width_) return (x - low_) / (high_ - low_);
    if (function_ == "SIGMOID") return 1 / (1 + std::exp(-4 * (x - *centre_) / *width_));
    if (function_ == "LINEAR_EXACT") return std::clamp((x - *centre_) / *width_ + 0.5, 0.0, 1.0);
    const double edge = (*width_ - 1) / 2, middle = *centre_ - 0.5;
    if (x <= middle - edge) return 0;
    if (x > middle + edge) return 1;
    return (x - middle) / (*width_ - 1) + 0.5;
  }

 private:
  double slope_, intercept_;
  std::optional<double> centre_, width_;
  std::string function_;
  double low_ = 0, high_ = 1;
};

// The pixel data as integers in the machine's order; 8 bits come packed in words or not.
std::vector<std::int32_t> stored_values(DcmDataset& data, const PixelForm& f, const std::string& what) {
  const auto count = std::size_t{f.rows} * f.columns * f.samples;
  const auto too_short = [&] { fail_user("{}: truncated: a DICOM file without all its pixels", what); };
  std::vector<std::int32_t> values(count);
  unsigned long length = 0;
  const Uint8* bytes = nullptr;
  const Uint16* words = nullptr;
  if (f.allocated == 16) {
    if (data.findAndGetUint16Array(DCM_PixelData, words, &length).bad() || !words || length < count)
      too_short();
  } else if (data.findAndGetUint8Array(DCM_PixelData, bytes, &length).good() && bytes) {
    if (length < count) too_short();
  } else if (data.findAndGetUint16Array(DCM_PixelData, words, &length).bad() || !words ||
             2 * length < count) {
    too_short();
  }
  const auto mask = (1U << f.stored) - 1, shift = static_cast<unsigned>(f.high_bit + 1 - f.stored);
  const auto sign = f.is_signed ? 1U << (f.stored - 1) : 0U;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned raw = f.allocated == 16 ? words[i]
                         : bytes           ? bytes[i]
                                           : words[i / 2] >> (i % 2 * 8) & 0xffU;
    const auto value = raw >> shift & mask;
    values[i] = static_cast<std::int32_t>(value) - (value & sign ? static_cast<std::int32_t>(mask) + 1 : 0);
  }
  return values;
}

}  // namespace

Image decode_dicom(std::span<const std::uint8_t> file, const std::string& what) {
  prepare_dcmtk();
  DcmInputBufferStream stream;
  stream.setBuffer(file.data(), static_cast<offile_off_t>(file.size()));
  stream.setEos();
  DcmFileFormat format;
  format.transferInit();
  const bool read = format.read(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength).good();
  format.transferEnd();
  if (!read) fail_user("{}: corrupt DICOM; copy the file again", what);
  auto& data = *format.getDataset();
  if (const auto* packing = unread_packing(data.getOriginalXfer()))
    fail_user("{}: a DICOM image packed as {}, which is not read; convert it to one without compression",
              what, packing);
  auto form = form_of(data, file.size(), what);
  if (text(data, DCM_PhotometricInterpretation) == "PALETTE COLOR")
    fail_user("{}: a DICOM image with a palette, which is not read; convert it to RGB", what);
  if (data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad() ||
      !data.canWriteXfer(EXS_LittleEndianExplicit))
    fail_user("{}: a DICOM image whose compression is not read, or is damaged; convert it to one without",
              what);
  data.findAndGetUint16(DCM_PlanarConfiguration, form.planar);  // of what was unpacked
  const auto colours = text(data, DCM_PhotometricInterpretation);
  const bool grey = colours == "MONOCHROME1" || colours == "MONOCHROME2";
  if (form.samples != (grey ? 1 : 3) || (!grey && (colours != "RGB" || form.allocated != 8)))
    fail_user("{}: a DICOM image in other colours than grey or RGB; convert it to RGB", what);
  const auto values = stored_values(data, form, what);

  Image image{grey ? std::size_t{1} : 3, form.rows, form.columns, {}};
  image.pixels.resize(values.size());
  if (!grey) {
    const auto area = std::size_t{form.rows} * form.columns;
    for (std::size_t i = 0; i < values.size(); ++i)
      image.pixels[i] = static_cast<std::uint16_t>(form.planar ? values[i % 3 * area + i / 3] : values[i]);
    return image;
  }
  const GreyScale scale(data, form, what);
  image.white = 65535;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double shade = scale(values[i]);
    image.pixels[i] =
        static_cast<std::uint16_t>(std::lround(65535 * (colours == "MONOCHROME1" ? 1 - shade : shade)));
  }
  return image;
}

}  // namespace velum::data
