# The Debian packages that Bramble links, as targets. Those without a usable CMake file of their own (XNNPACK and
# pthreadpool have none, cpuinfo's and libjpeg-turbo's name absolute paths) get one here under the library's name.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(benchmark REQUIRED)

# bramble_import(NAME HEADER PACKAGE): the shared library libNAME with its header, or one clear line that names the package.
function(bramble_import name header package)
  find_library(BRAMBLE_${name}_LIBRARY ${name})
  find_path(BRAMBLE_${name}_INCLUDE ${header})
  mark_as_advanced(BRAMBLE_${name}_LIBRARY BRAMBLE_${name}_INCLUDE)
  if(NOT BRAMBLE_${name}_LIBRARY OR NOT BRAMBLE_${name}_INCLUDE)
    message(FATAL_ERROR "lib${name} or ${header} is missing: install ${package} (tools/quickstart does it)")
  endif()
  add_library(${name} SHARED IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION ${BRAMBLE_${name}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BRAMBLE_${name}_INCLUDE})
endfunction()

bramble_import(cpuinfo cpuinfo.h libcpuinfo-dev)
bramble_import(png png.h libpng-dev)
bramble_import(pthreadpool pthreadpool.h libpthreadpool-dev)
bramble_import(turbojpeg turbojpeg.h libturbojpeg0-dev)
bramble_import(XNNPACK xnnpack.h libxnnpack-dev)
bramble_import(z zlib.h zlib1g-dev)
set_property(TARGET pthreadpool PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
set_property(TARGET XNNPACK PROPERTY INTERFACE_LINK_LIBRARIES pthreadpool cpuinfo)
