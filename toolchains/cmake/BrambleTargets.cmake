# bramble_test(NAME SOURCES... [LIBRARIES ...] [LABELS ...]): a GoogleTest program whose cases ctest lists one by one.
#
# Every case carries its folder's name as a label (kernels, graph, engine, ...), so `ctest -L kernels` runs a layer.
# Further labels say where else it runs: `qemu` in the emulated cross build, `threads` under ThreadSanitizer.
# The target bramble_tests builds every test program, bramble_tests_<label> those with that label.
add_custom_target(bramble_tests)

function(bramble_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} bramble_flags GTest::gtest_main)
  # Before each ctest run rather than after each link: cross-built programs list their cases in the emulator.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 1200)

  add_dependencies(bramble_tests ${name})
  foreach(label IN LISTS arg_LABELS)
    if(NOT TARGET bramble_tests_${label})
      add_custom_target(bramble_tests_${label})
    endif()
    add_dependencies(bramble_tests_${label} ${name})
  endforeach()

  # gtest_discover_tests takes one label only; ctest reads this after its list, whose variable holds the cases' names.
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  set(label_file ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(WRITE ${label_file}
       "if(${name}_TESTS)\n"
       "  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${folder};${arg_LABELS}\")\n"
       "endif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${label_file})
endfunction()
