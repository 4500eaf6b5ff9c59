// The client's keys as files. (Plans and evaluation keys: session/files.h, which the server sees too.)
#pragma once

#include <string>

#include "ckks/client/client.h"

namespace velum::session {

// A file of its owner's alone. Both keep the bytes in memory that is locked, left out of core dumps and
// wiped.
void save_secret_key(const std::string& path, const ckks::SecretKey& key);
// The file's bytes, refused where they are no secret key's or others than its owner may read them.
SecretBuffer<std::uint8_t> read_secret_key_file(const std::string& path);
ckks::SecretKey load_secret_key(const std::string& path, const ckks::Parameters& params);

ckks::PublicKey load_public_key(const std::string& path, const ckks::Parameters& params);

}  // namespace velum::session
