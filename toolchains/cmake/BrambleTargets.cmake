# bramble_test(NAME SOURCES... [LIBRARIES ...] [LABELS ...]): a GoogleTest program whose cases ctest lists one by one.
#
# Every case carries its folder's name as a label (kernels, graph, engine, ...), so `ctest -L kernels` runs a layer.
# Further labels say where else it runs: `qemu` in the emulated cross build, `threads` under ThreadSanitizer.
function(bramble_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} bramble_flags GTest::gtest_main)
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  # One level of quoting is lost between here and ctest's own list.
  string(REPLACE ";" "\\;" labels "${folder};${arg_LABELS}")
  # Before each ctest run rather than after each link: cross-built programs list their cases in the emulator.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
                       PROPERTIES TIMEOUT 1200 LABELS "${labels}")
endfunction()
