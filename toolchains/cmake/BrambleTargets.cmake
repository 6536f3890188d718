# bramble_test(NAME SOURCES... [LIBRARIES ...]): a GoogleTest program whose cases ctest lists one by one.
function(bramble_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} bramble_flags GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 1200)
endfunction()
