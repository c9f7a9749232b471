/**
 * Generated from the measured volatility catalogue of pg_proc (PostgreSQL 15.18 and 18.4, facts G): every STABLE or VOLATILE function whose
 * class of change is clock, random, sequence, transaction, storage or identity, by name. The class is a judgement by name, type and
 * documentation; provolatile alone is no evidence (a volatile function may be deterministic). Which of them taint an output column, and how, is
 * decided in `determinism.ts`: a name here is necessary, not sufficient (`age` and `timezone` have harmless overloads).
 */
export type VolatileClass = 'clock' | 'random' | 'sequence' | 'transaction' | 'storage' | 'identity';

const byClass: Readonly<Record<VolatileClass, string>> = {
  clock: `
    age clock_timestamp now statement_timestamp timeofday timezone transaction_timestamp`,
  random: `
    array_sample array_shuffle gen_random_uuid random random_normal uuidv4 uuidv7`,
  sequence: `
    currval lastval nextval pg_get_sequence_data pg_sequence_last_value setval`,
  transaction: `
    age mxid_age pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_export_snapshot pg_get_multixact_members
    pg_last_committed_xact pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_current
    txid_current_if_assigned txid_current_snapshot txid_status`,
  storage: `
    currtid2 pg_column_compression pg_column_size pg_column_toast_chunk_id pg_database_size pg_filenode_relation pg_indexes_size
    pg_nextoid pg_relation_filenode pg_relation_filepath pg_relation_size pg_table_size pg_tablespace_databases pg_tablespace_location
    pg_tablespace_size pg_total_relation_size`,
  identity: `
    current_database current_user getpgusername has_any_column_privilege has_column_privilege has_database_privilege
    has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege
    has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege
    inet_client_addr inet_client_port pg_backend_pid pg_has_role pg_is_other_temp_schema pg_my_temp_schema row_security_active
    session_user system_user`,
};

/** Name to class. */
export const volatileBuiltins: ReadonlyMap<string, VolatileClass> = new Map(
  (Object.entries(byClass) as [VolatileClass, string][])
    .flatMap(([kind, names]) => names.trim().split(/\s+/).map(name => [name, kind] as const)),
);
