#include "engine/checkpoint/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/checkpoint/float_formats.h"
#include "engine/data/file.h"

namespace bramble::engine {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kMaxRank = 16;

/// What is wrong with the contents; the path is put before it where it is known.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::uint64_t read_length(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) throw FormatError("it has only " + std::to_string(file.size()) + " bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kMaxHeader)
    throw FormatError("its header would have " + std::to_string(length) + " bytes, more than the format allows");
  if (length > file.size() - kLengthBytes)
    throw FormatError("its header of " + std::to_string(length) + " bytes does not fit into its " +
                      std::to_string(file.size()) + " bytes");
  return length;
}

/// JSON has no rule for a key that is there twice; one of the two would silently win.
Json parse_header(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto note = [&](int depth, Json::parse_event_t event, Json& value) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) {
      keys.resize(std::max(keys.size(), level + 1));
      keys[level].clear();
    } else if (event == Json::parse_event_t::key && !keys.at(level - 1).insert(value.get<std::string>()).second) {
      throw FormatError("its header has '" + value.get<std::string>() + "' twice");
    }
    return true;
  };
  if (text.empty() || text.front() != '{') throw FormatError("its header is no JSON object");
  try {
    return Json::parse(text, note);
  } catch (const Json::exception&) {
    throw FormatError("its header is no valid JSON");
  }
}

std::uint64_t to_unsigned(const Json& value, const std::string& what) {
  if (!value.is_number_unsigned()) throw FormatError(what + " is " + value.dump() + ", not a whole number from 0 on");
  return value.get<std::uint64_t>();
}

const Json& field(const Json& entry, const char* key, const std::string& name) {
  const auto found = entry.find(key);
  if (found == entry.end()) throw FormatError("tensor '" + name + "' has no " + key);
  return *found;
}

std::vector<std::int64_t> parse_shape(const Json& value, const std::string& name) {
  if (!value.is_array() || value.size() > kMaxRank)
    throw FormatError("the shape of tensor '" + name + "' is no list of sizes");
  std::vector<std::int64_t> shape;
  for (const Json& size : value) {
    const std::uint64_t extent = to_unsigned(size, "a size of tensor '" + name + "'");
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw FormatError("the shape of tensor '" + name + "' is too large");
    shape.push_back(static_cast<std::int64_t>(extent));
  }
  return shape;
}

std::size_t bytes_of(const std::vector<std::int64_t>& shape, std::size_t element, const std::string& name) {
  std::size_t bytes = element;
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes))
      throw FormatError("the shape of tensor '" + name + "' is too large");
  return bytes;
}

StoredTensor parse_tensor(const std::string& name, const Json& entry, std::span<const std::byte> data) {
  if (!entry.is_object()) throw FormatError("tensor '" + name + "' is no JSON object");
  StoredTensor tensor{.name = name, .dtype = {}, .shape = parse_shape(field(entry, "shape", name), name), .bytes = {}};
  const Json& dtype = field(entry, "dtype", name);
  if (dtype.is_string()) tensor.dtype = dtype.get<std::string>();
  const std::size_t element = safetensors_dtype_bytes(tensor.dtype);
  if (element == 0) throw FormatError("the dtype of tensor '" + name + "' is " + dtype.dump() + ", which is unknown");
  const Json& offsets = field(entry, "data_offsets", name);
  if (!offsets.is_array() || offsets.size() != 2)
    throw FormatError("the data_offsets of tensor '" + name + "' are not two numbers");
  if (entry.size() != 3) throw FormatError("tensor '" + name + "' has fields besides dtype, shape and data_offsets");
  const std::uint64_t begin = to_unsigned(offsets[0], "an offset of tensor '" + name + "'");
  const std::uint64_t end = to_unsigned(offsets[1], "an offset of tensor '" + name + "'");
  if (begin > end || end > data.size())
    throw FormatError("tensor '" + name + "' reaches from byte " + std::to_string(begin) + " to " +
                      std::to_string(end) + " of " + std::to_string(data.size()));
  if (end - begin != bytes_of(tensor.shape, element, name))
    throw FormatError("tensor '" + name + "' has " + std::to_string(end - begin) + " bytes, which its shape and " +
                      tensor.dtype + " do not give");
  tensor.bytes = data.subspan(begin, end - begin);
  return tensor;
}

std::map<std::string, std::string> parse_metadata(const Json& header) {
  std::map<std::string, std::string> metadata;
  const auto found = header.find("__metadata__");
  if (found == header.end()) return metadata;
  if (!found->is_object()) throw FormatError("its __metadata__ is no JSON object");
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) throw FormatError("'" + key + "' in its __metadata__ is no text");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

/// Nothing between the tensors, nothing twice, nothing after them.
void check_contiguous(const std::vector<StoredTensor>& tensors, std::span<const std::byte> data) {
  const std::byte* next = data.data();
  for (const StoredTensor& tensor : tensors) {
    if (tensor.bytes.data() != next)
      throw FormatError("tensor '" + tensor.name + "' does not begin where the one before it ends");
    next += tensor.bytes.size();
  }
  if (next != data.data() + data.size())
    throw FormatError(std::to_string(data.data() + data.size() - next) + " bytes at its end belong to no tensor");
}

/// Closes with the mapping left in place, which needs the file no more.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

std::size_t safetensors_dtype_bytes(std::string_view dtype) {
  static const std::map<std::string_view, std::size_t> bytes = {
      {"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
      {"BF16", 2}, {"I32", 4},  {"U32", 4}, {"F32", 4},     {"F64", 8},     {"I64", 8}, {"U64", 8},
  };
  const auto found = bytes.find(dtype);
  return found == bytes.end() ? 0 : found->second;
}

std::int64_t StoredTensor::elements() const {
  return static_cast<std::int64_t>(bytes.size() / safetensors_dtype_bytes(dtype));
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0) throw FileError(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    throw FileError(path, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) throw FileError(path, "not a safetensors file: it is empty");
  void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (mapping == MAP_FAILED) throw FileError(path, std::strerror(errno));
  mapping_ = mapping;
  mapped_ = size;
  try {
    parse({static_cast<const std::byte*>(mapping), size});
  } catch (const FormatError& error) {
    ::munmap(mapping_, mapped_);
    throw FileError(path, std::string("not a safetensors file: ") + error.what());
  }
}

SafetensorsFile::~SafetensorsFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept
    : path_(std::move(other.path_)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(other.mapped_),
      tensors_(std::move(other.tensors_)),
      index_(std::move(other.index_)),
      metadata_(std::move(other.metadata_)) {}

void SafetensorsFile::parse(std::span<const std::byte> file) {
  const std::uint64_t length = read_length(file);
  const auto* text = reinterpret_cast<const char*>(file.data()) + kLengthBytes;
  const Json header = parse_header({text, length});
  const std::span<const std::byte> data = file.subspan(kLengthBytes + length);
  metadata_ = parse_metadata(header);
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") tensors_.push_back(parse_tensor(name, entry, data));
  // An empty tensor begins where its neighbour does: it comes first.
  std::sort(tensors_.begin(), tensors_.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
  });
  check_contiguous(tensors_, data);
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

std::vector<float> SafetensorsFile::floats(const StoredTensor& tensor) const {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  if (!to_floats(tensor.dtype, tensor.bytes, values))
    throw FileError(path_, "tensor '" + tensor.name + "' is " + tensor.dtype + ", where floating-point numbers belong");
  return values;
}

std::vector<std::int64_t> SafetensorsFile::integers(const StoredTensor& tensor) const {
  if (tensor.dtype != "I64") throw FileError(path_, "tensor '" + tensor.name + "' is " + tensor.dtype + ", not I64");
  std::vector<std::int64_t> values(static_cast<std::size_t>(tensor.elements()));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

}  // namespace bramble::engine
