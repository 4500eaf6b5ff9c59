# Where the programs are built, and what `cmake --install` installs: the public headers, libraries, the CMake package
# `velum`, the programs and their manual page.
include(CMakePackageConfigHelpers)

# `velum train` and `velum infer` run the programs next to `velum`.
foreach(program velum velum-infer velum_train_program)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  endif()
endforeach()

# All that velum::client, velum::server and velum::velum stand on; of the others there are no headers.
set(VELUM_ROOMS base system kernels ring ckks_core ckks_client ckks_eval model plan engine report session client server velum)
foreach(room ${VELUM_ROOMS})
  set_target_properties(velum_${room} PROPERTIES EXPORT_NAME ${room})
  install(TARGETS velum_${room} EXPORT velumTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
install(DIRECTORY include/velum DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(VELUM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/velum)
install(EXPORT velumTargets NAMESPACE velum:: DESTINATION ${VELUM_CMAKE_DIR})
configure_package_config_file(cmake/velumConfig.cmake.in ${PROJECT_BINARY_DIR}/velumConfig.cmake
                              INSTALL_DESTINATION ${VELUM_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/velumConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/velumConfig.cmake ${PROJECT_BINARY_DIR}/velumConfigVersion.cmake
        DESTINATION ${VELUM_CMAKE_DIR})

install(TARGETS velum velum-infer RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/velum.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES LICENSE README.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
