#include "engine/data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

std::string last_error() { return std::strerror(errno); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

// The file that a rename has to replace: a link's target, so that the link survives.
fs::path final_path(const fs::path& path) {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(path, error);
  if (error) throw FileError(path, "cannot be written: " + error.message());
  const fs::file_status status = fs::status(resolved, error);
  if (fs::exists(status)) {
    if (!fs::is_regular_file(status)) throw FileError(path, "cannot be written: not a regular file");
    if (access(resolved.c_str(), W_OK) != 0) throw FileError(path, "cannot be written: " + last_error());
  }
  return resolved;
}

void write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw FileError(path, "cannot be written: " + last_error());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// A file beside the final one that vanishes unless it is renamed.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& target, const fs::path& shown)
      : name_(target.string() + ".tmp-XXXXXX"), shown_(shown), file_(mkostemp(name_.data(), O_CLOEXEC)) {
    if (file_.get() < 0) throw FileError(shown_, "cannot be written: " + last_error());
  }
  ~TemporaryFile() {
    if (!renamed_) ::unlink(name_.c_str());
  }

  void append(std::string_view text) { write_all(file_.get(), text, shown_); }
  void flush() {
    // mkostemp makes files that only their owner can read.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(file_.get(), 0666 & ~mask);
    if (::fsync(file_.get()) != 0 || !file_.close()) throw FileError(shown_, "cannot be written: " + last_error());
  }
  void rename_to(const fs::path& target) {
    if (::rename(name_.c_str(), target.c_str()) != 0) throw FileError(shown_, "cannot be written: " + last_error());
    renamed_ = true;
  }

 private:
  std::string name_;
  fs::path shown_;
  Descriptor file_;
  bool renamed_ = false;
};

}  // namespace

void read_file(const fs::path& path, std::vector<std::uint8_t>& bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw FileError(path, last_error());
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw FileError(path, last_error());
  if (!S_ISREG(status.st_mode))
    throw FileError(path, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
  bytes.resize(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw FileError(path, last_error());
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
}

std::string read_text(const fs::path& path) {
  std::vector<std::uint8_t> bytes;
  read_file(path, bytes);
  return {bytes.begin(), bytes.end()};
}

void flush_folder(const fs::path& folder) {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot flush a folder, and say so with EINVAL: there is nothing more to do on them.
  if (handle.get() < 0 || (::fsync(handle.get()) != 0 && errno != EINVAL))
    throw FileError(folder, "cannot be written: " + last_error());
}

void write_atomically(const fs::path& path, const std::function<void(const FileSink&)>& write) {
  const fs::path target = final_path(path);
  TemporaryFile file(target, path);
  write([&](std::string_view text) { file.append(text); });
  file.flush();
  file.rename_to(target);
  flush_folder(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

void write_atomically(const fs::path& path, std::string_view text) {
  write_atomically(path, [&](const FileSink& sink) { sink(text); });
}

void check_writable(const fs::path& path) { const TemporaryFile file(final_path(path), path); }

}  // namespace bramble::engine
