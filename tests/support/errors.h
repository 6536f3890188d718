// What a call throws.
#pragma once

#include <string>

namespace bramble::test {

/// The message of the Error that `call` throws; empty if it throws nothing. Other exceptions pass.
template <class Error, class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace bramble::test
