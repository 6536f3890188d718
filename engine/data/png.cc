#include "engine/data/png.h"

#include <png.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/data/exif.h"
#include "engine/data/file.h"

namespace bramble::engine {
namespace {

constexpr std::size_t kSignature = 8;
// Of the text and profiles that a PNG carries beside its pixels, which are compressed too.
constexpr png_alloc_size_t kMaxChunk = 8 << 20;

/// A file on its way through libpng, whose errors are longjmps: whatever they pass over must need no destructor, so all
/// that has one lives here.
struct PngRead {
  std::span<const std::uint8_t> rest;
  std::string error;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<png_bytep> rows;
  Orientation orientation = Orientation::upright;

  explicit PngRead(std::span<const std::uint8_t> file) : rest(file) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw std::runtime_error("libpng cannot be started");
    }
  }
  ~PngRead() { png_destroy_read_struct(&png, &info, nullptr); }
  PngRead(const PngRead&) = delete;
  PngRead& operator=(const PngRead&) = delete;

  [[noreturn]] static void fail(png_structp png, png_const_charp message) {
    static_cast<PngRead*>(png_get_error_ptr(png))->error = message;
    png_longjmp(png, 1);
  }
  static void ignore_warning(png_structp, png_const_charp) {}

  static void give_bytes(png_structp png, png_bytep bytes, std::size_t count) {
    auto* read = static_cast<PngRead*>(png_get_io_ptr(png));
    if (count > read->rest.size()) png_error(png, "the file ends too early");
    std::memcpy(bytes, read->rest.data(), count);
    read->rest = read->rest.subspan(count);
  }

  bool read_header() {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_set_read_fn(png, this, give_bytes);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // resize_for() has the one that counts
    png_set_chunk_malloc_max(png, kMaxChunk);
    png_read_info(png, info);
    return true;
  }

  /// To eight-bit RGB whatever it is, into `rows`.
  bool read_pixels() {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != std::size_t{3} * png_get_image_width(png, info))
      png_error(png, "unknown layout");
    png_read_image(png, rows.data());
    png_read_end(png, info);
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png, info, &size, &exif) != 0) orientation = tiff_orientation({exif, size});
    return true;
  }
};

}  // namespace

bool is_png(std::span<const std::uint8_t> file) {
  return file.size() >= kSignature && png_sig_cmp(file.data(), 0, kSignature) == 0;
}

struct PngDecoder::Impl {
  std::vector<png_bytep> rows;
  std::vector<std::uint8_t> scratch;
};

PngDecoder::PngDecoder() : impl_(std::make_unique<Impl>()) {}
PngDecoder::~PngDecoder() = default;
PngDecoder::PngDecoder(PngDecoder&&) noexcept = default;

void PngDecoder::decode(const std::filesystem::path& path, std::span<const std::uint8_t> file, Image& image) {
  PngRead read(file);
  const auto corrupt = [&] { return FileError(path, "corrupt PNG (" + read.error + ")"); };
  if (!read.read_header()) throw corrupt();
  resize_for(path, png_get_image_width(read.png, read.info), png_get_image_height(read.png, read.info), image);
  read.rows.swap(impl_->rows);
  read.rows.resize(static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < read.rows.size(); ++y)
    read.rows[y] = image.pixels.data() + y * static_cast<std::size_t>(image.width) * 3;
  const bool whole = read.read_pixels();
  read.rows.swap(impl_->rows);
  if (!whole) throw corrupt();
  make_upright(read.orientation, image, impl_->scratch);
}

}  // namespace bramble::engine
