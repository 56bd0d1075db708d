# The SDK as an application gets it: one shared and one static library, made of the same objects,
# <fed/...>, fedConfig.cmake and fed.pc.

# Instrumented objects are for our own tests.
if(FED_SANITIZE OR FED_COVERAGE)
  return()
endif()

include(CMakePackageConfigHelpers)
include("${CMAKE_CURRENT_LIST_DIR}/StaticClosure.cmake")

set(objects)
foreach(room IN ITEMS base failpoint_off tensor crypto codec proto services wire rpc_status data
                      compute cpu_kernels_plain cpu_kernels_v2 cpu_kernels_v3 cpu_kernels_v4 update
                      transport session client)
  if(TARGET fed_${room})
    list(APPEND objects $<TARGET_OBJECTS:fed_${room}>)
  endif()
endforeach()

# On the distribution's shared gRPC: its static archives can't go into a shared object.
set(exports "${CMAKE_CURRENT_LIST_DIR}/exports.map")
add_library(fed_client_sdk SHARED ${objects})
target_link_libraries(
  fed_client_sdk PRIVATE gRPC::grpc++ protobuf::libprotobuf absl::strings absl::time
                         OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Threads::Threads)
target_link_options(fed_client_sdk PRIVATE "LINKER:--version-script=${exports}"
                    LINKER:--no-undefined LINKER:--as-needed)
set_target_properties(
  fed_client_sdk
  PROPERTIES VERSION ${PROJECT_VERSION}
             SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
             LINK_DEPENDS "${exports}"
             EXPORT_NAME client_sdk)

add_library(fed_client_sdk_static STATIC ${objects})
set_target_properties(fed_client_sdk_static PROPERTIES OUTPUT_NAME fed_client_sdk
                                                       EXPORT_NAME client_sdk_static)
foreach(library IN ITEMS fed_client_sdk fed_client_sdk_static)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(${library} INTERFACE cxx_std_20)
endforeach()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fed")
install(
  TARGETS fed_client_sdk fed_client_sdk_static
  EXPORT fedTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT sdk NAMELINK_COMPONENT sdk
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT sdk
  INCLUDES
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/common/include/fed"
                  "${PROJECT_SOURCE_DIR}/client_sdk/include/fed"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT sdk FILES_MATCHING PATTERN "*.h")
install(EXPORT fedTargets NAMESPACE fed:: DESTINATION "${package_dir}" COMPONENT sdk)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/fedConfig.cmake.in" fedConfig.cmake
                              INSTALL_DESTINATION "${package_dir}")
# Before 1.0 a minor version may change what it promises.
write_basic_package_version_file(fedConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/fedConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/fedConfigVersion.cmake"
        DESTINATION "${package_dir}" COMPONENT sdk)

list(TRANSFORM FED_STATIC_CLOSURE PREPEND "-l" OUTPUT_VARIABLE closure)
list(JOIN closure " " FED_PC_CLOSURE)
# Relative, so that `cmake --install --prefix` and a moved tree are found.
file(RELATIVE_PATH FED_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${CMAKE_CURRENT_LIST_DIR}/fed.pc.in" fed.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/fed.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT sdk)
