import type { Signature } from './signatures.ts';

/**
 * What a stable or volatile built-in function depends on besides its arguments. The catalogs say that a function is not immutable, not
 * why: that is a
 * judgement by name, type and documentation over the measured catalogue of pg_proc (PostgreSQL 15.18 and 18.4, facts G).
 *
 * `clock` … `storage` change by themselves; `identity` is who refreshes; the rest are settings of the session: TimeZone, lc_*, the text
 * search
 * configuration, any setting, search_path, xmloption. `output` and `input` depend on what the types of their arguments print or read as.
 */
export type ChangeClass = 'clock' | 'random' | 'sequence' | 'transaction' | 'storage' | 'identity'
  | 'timezone' | 'locale' | 'textSearch' | 'setting' | 'searchPath' | 'xml' | 'output' | 'input';

/** A name alone stands for all its overloads, a signature (types as pg_type names them) for one. */
const byClass: Readonly<Record<ChangeClass, string>> = {
  clock: `
    age(timestamp) age(timestamptz) clock_timestamp now statement_timestamp timeofday timezone(text,timetz) transaction_timestamp`,
  random: `
    array_sample array_shuffle gen_random_uuid random random_normal uuidv4 uuidv7`,
  sequence: `
    currval lastval nextval pg_get_sequence_data pg_sequence_last_value setval`,
  transaction: `
    age(xid) mxid_age pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_export_snapshot
    pg_get_multixact_members pg_last_committed_xact pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status
    txid_current txid_current_if_assigned txid_current_snapshot txid_status`,
  storage: `
    currtid2 pg_column_compression pg_column_size pg_column_toast_chunk_id pg_database_size pg_filenode_relation pg_indexes_size
    pg_nextoid pg_relation_filenode pg_relation_filepath pg_relation_size pg_table_size pg_tablespace_databases
    pg_tablespace_location pg_tablespace_size pg_total_relation_size`,
  identity: `
    current_database current_user getpgusername has_any_column_privilege has_column_privilege has_database_privilege
    has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege has_largeobject_privilege
    has_parameter_privilege has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege
    has_tablespace_privilege has_type_privilege inet_client_addr inet_client_port pg_backend_pid pg_has_role pg_is_other_temp_schema
    pg_my_temp_schema row_security_active session_user system_user`,
  timezone: `
    date(timestamptz) date_add(timestamptz,interval) date_cmp_timestamptz date_eq_timestamptz date_ge_timestamptz
    date_gt_timestamptz date_le_timestamptz date_lt_timestamptz date_ne_timestamptz date_part(text,timestamptz)
    date_subtract(timestamptz,interval) date_trunc(text,timestamptz) extract(text,timestamptz)
    generate_series(timestamptz,timestamptz,interval) in_range(timestamptz,timestamptz,interval,bool,bool) interval_pl_timestamptz
    jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz jsonb_path_query_first_tz jsonb_path_query_tz
    make_timestamptz(int4,int4,int4,int4,int4,float8) overlaps(timestamptz,interval,timestamptz,interval)
    overlaps(timestamptz,interval,timestamptz,timestamptz) overlaps(timestamptz,timestamptz,timestamptz,interval) time(timestamptz)
    timestamp(timestamptz) timestamp_cmp_timestamptz timestamp_eq_timestamptz timestamp_ge_timestamptz timestamp_gt_timestamptz
    timestamp_le_timestamptz timestamp_lt_timestamptz timestamp_ne_timestamptz timestamptz(date) timestamptz(date,time)
    timestamptz(timestamp) timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq_date timestamptz_eq_timestamp
    timestamptz_ge_date timestamptz_ge_timestamp timestamptz_gt_date timestamptz_gt_timestamp timestamptz_le_date
    timestamptz_le_timestamp timestamptz_lt_date timestamptz_lt_timestamp timestamptz_mi_interval timestamptz_ne_date
    timestamptz_ne_timestamp timestamptz_pl_interval timetz(time) timetz(timestamptz) timezone(timestamp) timezone(timestamptz)
    timezone(timetz) to_char(timestamptz,text) to_timestamp(text,text)`,
  locale: `
    money numeric(money) to_char(float4,text) to_char(float8,text) to_char(int4,text) to_char(int8,text) to_char(interval,text)
    to_char(numeric,text) to_char(timestamp,text) to_date to_number`,
  textSearch: `
    get_current_ts_config json_to_tsvector(json,jsonb) jsonb_to_tsvector(jsonb,jsonb) phraseto_tsquery(text) plainto_tsquery(text)
    to_tsquery(text) to_tsvector(json) to_tsvector(jsonb) to_tsvector(text) ts_debug ts_headline(json,tsquery)
    ts_headline(json,tsquery,text) ts_headline(jsonb,tsquery) ts_headline(jsonb,tsquery,text) ts_headline(text,tsquery)
    ts_headline(text,tsquery,text) ts_match_tq ts_match_tt ts_parse(text,text) ts_token_type(text) websearch_to_tsquery(text)`,
  setting: `
    current_setting pg_settings_get_flags pg_show_all_file_settings pg_show_all_settings`,
  searchPath: `
    current_schema current_schemas pg_collation_is_visible pg_conversion_is_visible pg_function_is_visible pg_opclass_is_visible
    pg_operator_is_visible pg_opfamily_is_visible pg_statistics_obj_is_visible pg_table_is_visible pg_ts_config_is_visible
    pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible to_regclass to_regcollation
    to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod`,
  xml: `
    xml xml_is_well_formed`,
  output: `
    anytextcat array_to_json array_to_string concat concat_ws format json_agg json_agg_strict json_build_array json_build_object
    json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict jsonb_agg jsonb_agg_strict
    jsonb_build_array jsonb_build_object quote_literal(anyelement) quote_nullable(anyelement) row_to_json textanycat to_json
    to_jsonb`,
  input: `
    json_populate_record json_populate_recordset json_to_record json_to_recordset jsonb_populate_record jsonb_populate_record_valid
    jsonb_populate_recordset jsonb_to_record jsonb_to_recordset pg_input_error_info pg_input_is_valid`,
};

const classes: ReadonlyMap<string, ChangeClass> = new Map((Object.entries(byClass) as [ChangeClass, string][])
  .flatMap(([kind, names]) => names.trim().split(/\s+/).map(name => [name, kind] as const)));

/** Names of which single overloads have a class. */
const overloaded: ReadonlySet<string> = new Set([...classes.keys()].flatMap(name => (name.includes('(') ? [name.slice(0, name.indexOf('('))] : [])));

/** The class of one overload of a built-in function. */
export function changeClass(name: string, args: readonly string[]): ChangeClass | undefined {
  return classes.get(name) ?? (overloaded.has(name) ? classes.get(`${name}(${args.join()})`) : undefined);
}

/** The class that all of these overloads share; a routine of the history has none. */
export function changeClassOf(signatures: readonly Signature[]): ChangeClass | undefined {
  let common: ChangeClass | undefined;
  for (const [at, { routine, name, keys }] of signatures.entries()) {
    const own = routine === undefined ? changeClass(name, keys) : undefined;
    if (own === undefined || (at > 0 && own !== common)) return undefined;
    common = own;
  }
  return common;
}

/** Every entry, for the test that checks them against the catalogs. */
export const classified: readonly string[] = [...classes.keys()];
