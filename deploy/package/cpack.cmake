# cpack reads this before it packs. All times in a package are that of the revision, unless somebody names another.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH} AND CPACK_PG_INTEGRITY_TIME)
  set(ENV{SOURCE_DATE_EPOCH} ${CPACK_PG_INTEGRITY_TIME})
endif()
if(CPACK_GENERATOR STREQUAL "TGZ")
  set(CPACK_PACKAGE_FILE_NAME pg_integrity_exporter-${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
endif()
