// Files and folders under a temporary name, until they are complete. Each is locked for as long as the
// process that makes it holds it open, so that one left by a process that was killed is known by its lock
// being free.
#pragma once

#include <filesystem>
#include <string>

namespace velum {

// A new file in `folder` under a short random name, locked until the last descriptor of it is closed; -1 and
// errno where it cannot be.
int open_temporary(const std::filesystem::path& folder, unsigned mode, std::string& temporary);
// The same for a folder; the descriptor is good for nothing but the lock.
int open_temporary_folder(const std::filesystem::path& folder, std::string& temporary);

// Removes what `folder` has of such files and folders, with the files in them and in their folders, that are
// this user's and that no living process holds. Best effort: where the file system has no locks they stay.
void remove_abandoned(const std::filesystem::path& folder);

}  // namespace velum
