# Writes OUTPUT, a header with the commit and the compiler of this build; untouched where nothing changed.
# Run at every build: cmake -DOUTPUT=... -DSOURCE=... -DCOMPILER=... -DFLAGS=... -P VelumCommit.cmake
find_program(GIT git)
set(commit "unknown")
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no -- . :!results :!docs
                    OUTPUT_VARIABLE changes ERROR_QUIET)
    set(commit "${head}")
    if(changes)
      string(APPEND commit "+changes")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT [[// Made at every build.
#pragma once

namespace velum {

inline constexpr char kCommit[] = "@commit@";
inline constexpr char kCompiler[] = "@COMPILER@";
inline constexpr char kCompilerFlags[] = "@FLAGS@";

}  // namespace velum
]] @ONLY)
