# Build options, and the two functions that every room and every test folder uses.
include(GNUInstallDirs)
option(VELUM_BUILD_TESTS "Build the test suite" ON)
option(VELUM_VERIFY "Assert the range contracts of every kernel" OFF)
option(VELUM_WERROR "Treat warnings as errors" ON)
option(VELUM_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(VELUM_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize= (address,undefined or thread)")
set(VELUM_TORCH "AUTO" CACHE STRING "Build the trainer: AUTO (where libtorch is found), ON, OFF")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(velum_flags INTERFACE)
# No contraction: results must be bit-identical across kernel variants, so a*b+c is never fused silently.
target_compile_options(velum_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
                       -ffp-contract=off)
if(VELUM_WERROR)
  target_compile_options(velum_flags INTERFACE -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13 AND
     CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
    # Copies that are said to leave their bounds, false alarms: of g++ 13 in fmt 9's long numbers, inlined from its headers, of
    # g++ 14 in its own vector<bool>::reserve, inlined from libtorch's.
    target_compile_options(velum_flags INTERFACE -Wno-error=array-bounds)
  endif()
endif()
if(VELUM_VERIFY)
  target_compile_definitions(velum_flags INTERFACE VELUM_VERIFY=1)
endif()
if(VELUM_SANITIZE)
  add_compile_options(-fsanitize=${VELUM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VELUM_SANITIZE})
endif()

# velum_room(name SOURCES ... [LINK public libraries] [LINK_PRIVATE ...])
function(velum_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;LINK_PRIVATE" ${ARGN})
  add_library(velum_${name} STATIC ${arg_SOURCES})
  add_library(velum::${name} ALIAS velum_${name})
  target_include_directories(velum_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(velum_${name} PUBLIC ${arg_LINK} PRIVATE $<BUILD_INTERFACE:velum_flags> ${arg_LINK_PRIVATE})
endfunction()

# velum_test(room SOURCES ... LINK ...): one GoogleTest program a room, its cases found by ctest.
function(velum_test room)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(velum_${room}_tests ${arg_SOURCES})
  target_link_libraries(velum_${room}_tests PRIVATE ${arg_LINK} GTest::gtest GTest::gmock GTest::gtest_main velum_flags)
  target_include_directories(velum_${room}_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(velum_${room}_tests PRIVATE VELUM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(velum_${room}_tests DISCOVERY_MODE PRE_TEST TEST_PREFIX ${room}. PROPERTIES TIMEOUT 900)
endfunction()
