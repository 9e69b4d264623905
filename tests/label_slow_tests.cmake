# Read by ctest after the tests of `program` are known: gives those tagged [slow] the label `slow`,
# which the quick presets leave out. (Catch2 2.13's own discovery does not pass tags on.)
execute_process(COMMAND ${program} "[slow]" --list-test-names-only
  OUTPUT_VARIABLE names ERROR_QUIET)
string(REPLACE "\n" ";" names "${names}")
foreach(name IN LISTS names)
  if(name)
    set_tests_properties("${prefix}${name}" PROPERTIES LABELS slow)
  endif()
endforeach()
