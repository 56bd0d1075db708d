# fed_library, fed_executable, fed_test: how every target of this tree is made.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# What all of our code is compiled with. Sums must give the same bits on every CPU level, so a
# multiply and an add are never contracted into one instruction.
add_library(fed_options INTERFACE)
target_compile_features(fed_options INTERFACE cxx_std_20)
target_include_directories(
  fed_options INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/common/include"
                        "${PROJECT_SOURCE_DIR}/client_sdk/include")
target_compile_options(
  fed_options INTERFACE -ffp-contract=off -fvisibility-inlines-hidden
                        $<$<BOOL:${FED_COVERAGE}>:--coverage>)
target_link_options(fed_options INTERFACE $<$<BOOL:${FED_COVERAGE}>:--coverage>)
if(FED_SANITIZE)
  target_compile_options(fed_options INTERFACE -fsanitize=${FED_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all -g1)
  target_link_options(fed_options INTERFACE -fsanitize=${FED_SANITIZE})
endif()

# -Wrestrict of GCC 12 reports std::string's own code when it is optimized (GCC bug 105651).
add_library(fed_warnings INTERFACE)
target_compile_options(
  fed_warnings INTERFACE -Wall -Wextra -Wpedantic $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
                         $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict>
                         $<$<BOOL:${FED_WERROR}>:-Werror>)

# A sanitized library is lightly optimized: unoptimized it runs several times slower.
function(fed_optimize_sanitized target)
  if(FED_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# Headers that most files include, compiled once for libraries and once for tests. Not in every preset:
# without it a file that lacks an include does not compile.
if(FED_PCH)
  # Some packages ask for it and some do not; the compiled headers fit only one of the two.
  target_compile_options(fed_options INTERFACE -pthread)
  set(FED_COMMON_HEADERS <cstdint> <functional> <map> <memory> <string> <vector>
                         <absl/strings/str_cat.h> <absl/time/time.h> <absl/types/span.h>)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/pch.cc" CONTENT "")
  foreach(kind IN ITEMS library test)
    add_library(fed_${kind}_pch STATIC "${PROJECT_BINARY_DIR}/pch.cc")
    target_link_libraries(fed_${kind}_pch PRIVATE fed_options fed_warnings absl::strings absl::time
                                                  absl::span)
  endforeach()
  set_target_properties(fed_library_pch PROPERTIES POSITION_INDEPENDENT_CODE ON)
  fed_optimize_sanitized(fed_library_pch)
  target_precompile_headers(fed_library_pch PRIVATE ${FED_COMMON_HEADERS})
  if(FED_BUILD_TESTS)
    target_link_libraries(fed_test_pch PRIVATE GTest::gmock)
    target_precompile_headers(fed_test_pch PRIVATE ${FED_COMMON_HEADERS} <gmock/gmock.h>
                                                   <gtest/gtest.h>)
  endif()
endif()
function(fed_use_pch target kind)
  if(FED_PCH)
    target_precompile_headers(${target} REUSE_FROM fed_${kind}_pch)
  endif()
endfunction()

# fed_library(name SRCS a.cc ... [DEPS public...] [PRIVATE_DEPS private...])
# One library per folder; alias fed::name. Without SRCS it carries headers and dependencies only.
function(fed_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SRCS)
    add_library(fed_${name} STATIC ${ARG_SRCS})
    set_target_properties(fed_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(fed_${name} PUBLIC fed_options ${ARG_DEPS}
                                      PRIVATE fed_warnings ${ARG_PRIVATE_DEPS})
    fed_optimize_sanitized(fed_${name})
    fed_use_pch(fed_${name} library)
  else()
    add_library(fed_${name} INTERFACE)
    target_link_libraries(fed_${name} INTERFACE fed_options ${ARG_DEPS})
  endif()
  add_library(fed::${name} ALIAS fed_${name})
endfunction()

# fed_objects(name SRCS a.cc ... [DEPS ...])
# Linked as objects, not as an archive: for what archives that come later on the command line need.
function(fed_objects name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(fed_${name} OBJECT ${ARG_SRCS})
  set_target_properties(fed_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(fed_${name} PUBLIC fed_options ${ARG_DEPS} PRIVATE fed_warnings)
  add_library(fed::${name} ALIAS fed_${name})
endfunction()

# fed_executable(name SRCS a.cc ... [DEPS ...])
function(fed_executable name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE fed_options fed_warnings ${ARG_DEPS})
endfunction()

# fed_test(name SRCS a_test.cc ... [DEPS ...] [LABELS unit|integration|e2e|grpc ...])
# A GoogleTest program; each of its cases is a ctest case. Label "grpc" says that it links gRPC,
# whose uninstrumented locks keep it out of the thread sanitizer's run.
function(fed_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE fed_options fed_warnings ${ARG_DEPS} GTest::gmock_main)
  # What is tested is optimized; the tests themselves compile in a third of the time without.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  fed_use_pch(${name} test)
  include(GoogleTest)
  # One label, as "unit-grpc": gtest_discover_tests takes a list apart, and loses all but the first.
  string(JOIN "-" label ${ARG_LABELS})
  gtest_discover_tests(
    ${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS ${label})
endfunction()
