# What an application that links libfed_client_sdk.a needs beside it: Debian's archives, by the
# names that the linker knows. Their order does not matter: they are linked as one group.
set(FED_STATIC_CLOSURE
    grpc++ grpc gpr address_sorting upb re2 cares protobuf ssl crypto z
    absl_bad_optional_access absl_bad_variant_access absl_base absl_city absl_civil_time absl_cord
    absl_cord_internal absl_cordz_functions absl_cordz_handle absl_cordz_info
    absl_debugging_internal absl_demangle_internal absl_exponential_biased absl_graphcycles_internal
    absl_hash absl_hashtablez_sampler absl_int128 absl_log_severity absl_low_level_hash
    absl_malloc_internal absl_random_distributions absl_random_internal_platform
    absl_random_internal_pool_urbg absl_random_internal_randen absl_random_internal_randen_hwaes
    absl_random_internal_randen_hwaes_impl absl_random_internal_randen_slow
    absl_random_internal_seed_material absl_random_seed_gen_exception absl_random_seed_sequences
    absl_raw_hash_set absl_raw_logging_internal absl_spinlock_wait absl_stacktrace absl_status
    absl_statusor absl_str_format_internal absl_strerror absl_strings absl_strings_internal
    absl_symbolize absl_synchronization absl_throw_delegate absl_time absl_time_zone)
