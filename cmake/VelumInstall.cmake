# Where the programs are built, and what `cmake --install` installs: the public headers, libraries, the CMake package
# `velum`, the programs and their manual page.
include(CMakePackageConfigHelpers)

# `velum train` and `velum infer` run the programs next to `velum`.
foreach(program velum velum-infer velum_train_program)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  endif()
endforeach()

# All that velum::client and velum::server stand on, and what velum::velum stands on beside them; of the others there are
# no headers. The second set needs protobuf and the ONNX library, which find_package looks for only if it is asked for.
set(VELUM_HALVES base system kernels ring ckks_core ckks_client ckks_eval model plan engine report session client server)
set(VELUM_WHOLE model_onnx planner velum)
function(velum_install_rooms export)
  foreach(room ${ARGN})
    set_target_properties(velum_${room} PROPERTIES EXPORT_NAME ${room})
    install(TARGETS velum_${room} EXPORT ${export} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endforeach()
endfunction()
velum_install_rooms(velumTargets ${VELUM_HALVES})
velum_install_rooms(velumWholeTargets ${VELUM_WHOLE})
install(DIRECTORY include/velum DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(VELUM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/velum)
install(EXPORT velumTargets NAMESPACE velum:: DESTINATION ${VELUM_CMAKE_DIR})
install(EXPORT velumWholeTargets NAMESPACE velum:: DESTINATION ${VELUM_CMAKE_DIR})
configure_package_config_file(cmake/velumConfig.cmake.in ${PROJECT_BINARY_DIR}/velumConfig.cmake
                              INSTALL_DESTINATION ${VELUM_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/velumConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/velumConfig.cmake ${PROJECT_BINARY_DIR}/velumConfigVersion.cmake
        DESTINATION ${VELUM_CMAKE_DIR})

install(TARGETS velum velum-infer RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/velum.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES LICENSE README.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
