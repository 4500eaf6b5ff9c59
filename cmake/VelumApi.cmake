# The API reference of the public headers, where Doxygen is found: target velum_api, and the test house.api, which fails
# at a public name without a description.
find_program(VELUM_DOXYGEN doxygen)
if(VELUM_DOXYGEN)
  set(make_api ${CMAKE_COMMAND} -E env VELUM_API_FOLDER=${PROJECT_BINARY_DIR}/api ${VELUM_DOXYGEN} docs/Doxyfile)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/api)
  add_custom_target(velum_api COMMAND ${make_api} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM
                    COMMENT "API reference in ${PROJECT_BINARY_DIR}/api/html")
  if(VELUM_BUILD_TESTS)
    add_test(NAME house.api COMMAND ${make_api} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  endif()
endif()
