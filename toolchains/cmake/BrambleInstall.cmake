# A cross build's `cmake --install` makes a folder that runs on a bare board: bin/, and in lib/ every shared library the
# programs need except glibc's own. A native build leaves the libraries to the machine's packages.
if(CMAKE_CROSSCOMPILING)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libstdc++.so.6 OUTPUT_VARIABLE bramble_libstdcxx
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  get_filename_component(bramble_libstdcxx_folder ${bramble_libstdcxx} DIRECTORY)
  set(bramble_library_folders ${BRAMBLE_SYSROOT}/usr/lib/aarch64-linux-gnu ${bramble_libstdcxx_folder})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/BundleLibraries.cmake.in ${PROJECT_BINARY_DIR}/BundleLibraries.cmake @ONLY)
  # In a folder added last: CMake runs the root's own install rules before those of its folders.
  add_subdirectory(${CMAKE_CURRENT_LIST_DIR}/bundle ${PROJECT_BINARY_DIR}/bundle)
endif()
