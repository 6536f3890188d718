#include "engine/data/jpeg.h"

#include <turbojpeg.h>

#include <string>

#include "engine/data/exif.h"
#include "engine/data/file.h"

namespace bramble::engine {
namespace {

// The accurate integer DCT is the one Pillow uses, and gives the same bits on every processor. A progressive file
// with thousands of scans would take minutes: it counts as corrupt.
constexpr int kDecodeFlags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;

struct Header {
  int width = 0;
  int height = 0;
  int colorspace = -1;
};

using Bytes = std::span<const std::uint8_t>;

bool ends_with_end_marker(Bytes file) {
  return file.size() >= 2 && file[file.size() - 2] == 0xff && file.back() == 0xd9;
}

// libjpeg calls a missing half a warning, as it does a few stray bytes before a marker. Cameras write the latter,
// every reader takes it, and it hides nothing where the file's end is there.
bool is_harmless(const std::string& warning, Bytes file) {
  return warning.find("extraneous bytes before marker") != std::string::npos && ends_with_end_marker(file);
}

// As Pillow: four-channel JPEGs are taken as Adobe writes them, inverted.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, std::vector<std::uint8_t>& rgb) {
  const auto multiply_255 = [](int a, int b) {
    const int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
  };
  for (std::size_t pixel = 0; pixel * 4 < cmyk.size(); ++pixel) {
    const int light = cmyk[pixel * 4 + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const int ink = 255 - cmyk[pixel * 4 + channel];
      rgb[pixel * 3 + channel] = static_cast<std::uint8_t>(light - multiply_255(ink, light));
    }
  }
}

}  // namespace

bool is_jpeg(Bytes file) { return file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff; }

struct JpegDecoder::Impl {
  tjhandle handle = tjInitDecompress();
  std::vector<std::uint8_t> cmyk;
  std::vector<std::uint8_t> scratch;

  ~Impl() {
    if (handle != nullptr) tjDestroy(handle);
  }

  Header read_header(const std::filesystem::path& path, Bytes file) {
    Header header;
    int subsampling = -1;
    // Fails for an unusual chroma subsampling too, which decoding takes: then the sizes are there.
    const int status = tjDecompressHeader3(handle, file.data(), static_cast<unsigned long>(file.size()), &header.width,
                                           &header.height, &subsampling, &header.colorspace);
    if (status != 0 && (header.width < 1 || header.height < 1)) throw corrupt(path);
    return header;
  }

  void decompress(const std::filesystem::path& path, Bytes file, std::uint8_t* pixels, const Header& header,
                  int format) {
    if (tjDecompress2(handle, file.data(), static_cast<unsigned long>(file.size()), pixels, header.width, 0,
                      header.height, format, kDecodeFlags) == 0) {
      return;
    }
    if (tjGetErrorCode(handle) == TJERR_WARNING && is_harmless(tjGetErrorStr2(handle), file)) return;
    throw corrupt(path);
  }

  FileError corrupt(const std::filesystem::path& path) const {
    return {path, std::string("corrupt JPEG (") + tjGetErrorStr2(handle) + ")"};
  }
};

JpegDecoder::JpegDecoder() : impl_(std::make_unique<Impl>()) {
  if (impl_->handle == nullptr) throw std::runtime_error("libjpeg-turbo cannot be started");
}
JpegDecoder::~JpegDecoder() = default;
JpegDecoder::JpegDecoder(JpegDecoder&&) noexcept = default;

void JpegDecoder::decode(const std::filesystem::path& path, Bytes file, Image& image) {
  const Header header = impl_->read_header(path, file);
  resize_for(path, header.width, header.height, image);
  if (header.colorspace == TJCS_CMYK || header.colorspace == TJCS_YCCK) {
    impl_->cmyk.resize(image.pixels.size() / 3 * 4);
    impl_->decompress(path, file, impl_->cmyk.data(), header, TJPF_CMYK);
    cmyk_to_rgb(impl_->cmyk, image.pixels);
  } else {
    impl_->decompress(path, file, image.pixels.data(), header, TJPF_RGB);
  }
  make_upright(jpeg_orientation(file), image, impl_->scratch);
}

struct JpegEncoder::Impl {
  tjhandle handle = tjInitCompress();
  ~Impl() {
    if (handle != nullptr) tjDestroy(handle);
  }
};

JpegEncoder::JpegEncoder() : impl_(std::make_unique<Impl>()) {
  if (impl_->handle == nullptr) throw std::runtime_error("libjpeg-turbo cannot be started");
}
JpegEncoder::~JpegEncoder() = default;
JpegEncoder::JpegEncoder(JpegEncoder&&) noexcept = default;

std::vector<std::uint8_t> JpegEncoder::encode(const Image& image, int quality) {
  std::vector<std::uint8_t> bytes(tjBufSize(image.width, image.height, TJSAMP_420));
  unsigned char* output = bytes.data();
  unsigned long size = bytes.size();
  if (tjCompress2(impl_->handle, image.pixels.data(), image.width, 0, image.height, TJPF_RGB, &output, &size,
                  TJSAMP_420, quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) != 0) {
    throw std::runtime_error(std::string("a JPEG cannot be encoded: ") + tjGetErrorStr2(impl_->handle));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace bramble::engine
