/**
 * Generated: the built-in functions of PostgreSQL 18 that a query can call, by name. Made from pg_proc of PGlite by the query that
 * `oracle.test.ts` runs again: internal functions, type I/O, selectivity estimators and names beginning `pg_` are left out
 * (those names are system names wherever they stand). A later layer of real signatures replaces this list.
 */

/** One result type for every overload of the name: then any call of the name has it. `''`: several, or a polymorphic one. */
const byResult: Readonly<Record<string, string>> = {
  'boolean': `
    aclcontains aclitemeq amvalidate array_eq array_ge array_gt array_le array_lt array_ne arraycontained arraycontains arrayoverlap
    biteq bitge bitgt bitle bitlt bitne bool bool_and bool_or booland_statefunc booleq boolge boolgt boolle boollt boolne
    boolor_statefunc box_above box_above_eq box_below box_below_eq box_contain box_contain_pt box_contained box_eq box_ge box_gt box_le
    box_left box_lt box_overabove box_overbelow box_overlap box_overleft box_overright box_right box_same bpchar_pattern_ge
    bpchar_pattern_gt bpchar_pattern_le bpchar_pattern_lt bpchareq bpcharge bpchargt bpchariclike bpcharicnlike bpcharicregexeq
    bpcharicregexne bpcharle bpcharlike bpcharlt bpcharne bpcharnlike bpcharregexeq bpcharregexne btequalimage btvarstrequalimage
    byteaeq byteage byteagt byteale bytealike bytealt byteane byteanlike cash_eq cash_ge cash_gt cash_le cash_lt cash_ne chareq charge
    chargt charle charlt charne cideq circle_above circle_below circle_contain circle_contain_pt circle_contained circle_eq circle_ge
    circle_gt circle_le circle_left circle_lt circle_ne circle_overabove circle_overbelow circle_overlap circle_overleft
    circle_overright circle_right circle_same date_eq date_eq_timestamp date_eq_timestamptz date_ge date_ge_timestamp
    date_ge_timestamptz date_gt date_gt_timestamp date_gt_timestamptz date_le date_le_timestamp date_le_timestamptz date_lt
    date_lt_timestamp date_lt_timestamptz date_ne date_ne_timestamp date_ne_timestamptz elem_contained_by_multirange
    elem_contained_by_range enum_eq enum_ge enum_gt enum_le enum_lt enum_ne every float48eq float48ge float48gt float48le float48lt
    float48ne float4eq float4ge float4gt float4le float4lt float4ne float84eq float84ge float84gt float84le float84lt float84ne float8eq
    float8ge float8gt float8le float8lt float8ne has_any_column_privilege has_column_privilege has_database_privilege
    has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege
    has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege
    in_range inet_same_family int24eq int24ge int24gt int24le int24lt int24ne int28eq int28ge int28gt int28le int28lt int28ne int2eq
    int2ge int2gt int2le int2lt int2ne int42eq int42ge int42gt int42le int42lt int42ne int48eq int48ge int48gt int48le int48lt int48ne
    int4eq int4ge int4gt int4le int4lt int4ne int82eq int82ge int82gt int82le int82lt int82ne int84eq int84ge int84gt int84le int84lt
    int84ne int8eq int8ge int8gt int8le int8lt int8ne inter_lb inter_sb inter_sl interval_eq interval_ge interval_gt interval_le
    interval_lt interval_ne is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical jsonb_contained
    jsonb_contains jsonb_eq jsonb_exists jsonb_exists_all jsonb_exists_any jsonb_ge jsonb_gt jsonb_le jsonb_lt jsonb_ne
    jsonb_path_exists jsonb_path_exists_opr jsonb_path_exists_tz jsonb_path_match jsonb_path_match_opr jsonb_path_match_tz
    jsonb_populate_record_valid like line_eq line_horizontal line_intersect line_parallel line_perp line_vertical lower_inc lower_inf
    lseg_eq lseg_ge lseg_gt lseg_horizontal lseg_intersect lseg_le lseg_lt lseg_ne lseg_parallel lseg_perp lseg_vertical macaddr8_eq
    macaddr8_ge macaddr8_gt macaddr8_le macaddr8_lt macaddr8_ne macaddr_eq macaddr_ge macaddr_gt macaddr_le macaddr_lt macaddr_ne
    multirange_adjacent_multirange multirange_adjacent_range multirange_after_multirange multirange_after_range
    multirange_before_multirange multirange_before_range multirange_contained_by_multirange multirange_contained_by_range
    multirange_contains_elem multirange_contains_multirange multirange_contains_range multirange_eq multirange_ge multirange_gt
    multirange_le multirange_lt multirange_ne multirange_overlaps_multirange multirange_overlaps_range multirange_overleft_multirange
    multirange_overleft_range multirange_overright_multirange multirange_overright_range nameeq nameeqtext namege namegetext namegt
    namegttext nameiclike nameicnlike nameicregexeq nameicregexne namele nameletext namelike namelt namelttext namene namenetext
    namenlike nameregexeq nameregexne network_eq network_ge network_gt network_le network_lt network_ne network_overlap network_sub
    network_subeq network_sup network_supeq notlike numeric_eq numeric_ge numeric_gt numeric_le numeric_lt numeric_ne oideq oidge oidgt
    oidle oidlt oidne oidvectoreq oidvectorge oidvectorgt oidvectorle oidvectorlt oidvectorne on_pb on_pl on_ppath on_ps on_sb on_sl
    overlaps path_contain_pt path_inter path_n_eq path_n_ge path_n_gt path_n_le path_n_lt point_above point_below point_eq point_horiz
    point_left point_ne point_right point_vert poly_above poly_below poly_contain poly_contain_pt poly_contained poly_left
    poly_overabove poly_overbelow poly_overlap poly_overleft poly_overright poly_right poly_same postgresql_fdw_validator
    pt_contained_circle pt_contained_poly range_adjacent range_adjacent_multirange range_after range_after_multirange range_before
    range_before_multirange range_contained_by range_contained_by_multirange range_contains range_contains_elem
    range_contains_multirange range_eq range_ge range_gt range_le range_lt range_ne range_overlaps range_overlaps_multirange
    range_overleft range_overleft_multirange range_overright range_overright_multirange record_eq record_ge record_gt record_image_eq
    record_image_ge record_image_gt record_image_le record_image_lt record_image_ne record_le record_lt record_ne regexp_like
    row_security_active satisfies_hash_partition starts_with text_ge text_gt text_le text_lt text_pattern_ge text_pattern_gt
    text_pattern_le text_pattern_lt texteq texteqname textgename textgtname texticlike texticnlike texticregexeq texticregexne
    textlename textlike textltname textne textnename textnlike textregexeq textregexne tideq tidge tidgt tidle tidlt tidne time_eq
    time_ge time_gt time_le time_lt time_ne timestamp_eq timestamp_eq_date timestamp_eq_timestamptz timestamp_ge timestamp_ge_date
    timestamp_ge_timestamptz timestamp_gt timestamp_gt_date timestamp_gt_timestamptz timestamp_le timestamp_le_date
    timestamp_le_timestamptz timestamp_lt timestamp_lt_date timestamp_lt_timestamptz timestamp_ne timestamp_ne_date
    timestamp_ne_timestamptz timestamptz_eq timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge timestamptz_ge_date
    timestamptz_ge_timestamp timestamptz_gt timestamptz_gt_date timestamptz_gt_timestamp timestamptz_le timestamptz_le_date
    timestamptz_le_timestamp timestamptz_lt timestamptz_lt_date timestamptz_lt_timestamp timestamptz_ne timestamptz_ne_date
    timestamptz_ne_timestamp timetz_eq timetz_ge timetz_gt timetz_le timetz_lt timetz_ne ts_match_qv ts_match_tq ts_match_tt ts_match_vq
    tsq_mcontained tsq_mcontains tsquery_eq tsquery_ge tsquery_gt tsquery_le tsquery_lt tsquery_ne tsvector_eq tsvector_ge tsvector_gt
    tsvector_le tsvector_lt tsvector_ne txid_visible_in_snapshot unicode_assigned upper_inc upper_inf uuid_eq uuid_ge uuid_gt uuid_le
    uuid_lt uuid_ne varbiteq varbitge varbitgt varbitle varbitlt varbitne xid8eq xid8ge xid8gt xid8le xid8lt xid8ne xideq xideqint4
    xidneq xidneqint4 xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlexists xmlvalidate xpath_exists`,
  'integer': `
    array_length array_lower array_ndims array_position array_upper ascii bit_length bitcmp bpcharcmp byteacmp cardinality cash_cmp
    char_length character_length date_cmp date_cmp_timestamp date_cmp_timestamptz date_mi enum_cmp family get_bit get_byte
    gin_cmp_tslexeme gin_compare_jsonb hash_aclitem hash_multirange hash_numeric hash_range hash_record hashbool hashbpchar hashbytea
    hashchar hashcid hashdate hashenum hashfloat4 hashfloat8 hashinet hashint2 hashint4 hashint8 hashmacaddr hashmacaddr8 hashname
    hashoid hashoidvector hashtext hashtid hashxid hashxid8 inet_client_port inet_server_port int24div int24mi int24mul int24pl int4
    int42div int42mi int42mul int42pl int4abs int4and int4div int4inc int4larger int4mi int4mod int4mul int4not int4or int4pl int4shl
    int4shr int4smaller int4um int4up int4xor interval_cmp interval_hash json_array_length jsonb_array_length jsonb_cmp jsonb_hash
    lo_close lo_export lo_lseek lo_open lo_tell lo_truncate lo_truncate64 lo_unlink lowrite macaddr8_cmp macaddr_cmp masklen min_scale
    multirange_cmp mxid_age network_cmp npoints ntile num_nonnulls num_nulls numeric_cmp numnode octet_length path_npoints poly_npoints
    position range_cmp regexp_count regexp_instr scale strpos textlen time_cmp time_hash timestamp_cmp timestamp_cmp_date
    timestamp_cmp_timestamptz timestamp_hash timestamptz_cmp timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_hash timetz_cmp
    timetz_hash to_regtypemod tsquery_cmp tsvector_cmp uuid_cmp uuid_hash varbitcmp width_bucket xid8cmp`,
  'double precision': `
    acos acosd acosh area asin asind asinh atan atan2 atan2d atand atanh box_distance cash_div_cash cbrt circle_distance corr cos cosd
    cosh cot cotd covar_pop covar_samp cume_dist date_part daterange_subdiff dcbrt degrees dexp diameter dist_bp dist_bs dist_cpoint
    dist_cpoly dist_lp dist_ls dist_pathp dist_pb dist_pc dist_pl dist_polyc dist_polyp dist_ppath dist_ppoly dist_ps dist_sb dist_sl
    dist_sp dlog1 dlog10 dpow dround dsqrt dtrunc erf erfc float48div float48mi float48mul float48pl float8 float84div float84mi
    float84mul float84pl float8_avg float8_corr float8_covar_pop float8_covar_samp float8_regr_avgx float8_regr_avgy
    float8_regr_intercept float8_regr_r2 float8_regr_slope float8_regr_sxx float8_regr_sxy float8_regr_syy float8_stddev_pop
    float8_stddev_samp float8_var_pop float8_var_samp float8abs float8div float8larger float8mi float8mul float8pl float8smaller
    float8um float8up gamma height int4range_subdiff int8range_subdiff lgamma line_distance lseg_distance lseg_length numrange_subdiff
    path_distance path_length percent_rank pi point_distance poly_distance radians radius random_normal regr_avgx regr_avgy
    regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy sin sind sinh slope tan tand tanh tsrange_subdiff tstzrange_subdiff
    width`,
  'bigint': `
    bit_count count crc32 crc32c currval dense_rank gin_clean_pending_list hash_aclitem_extended hash_array_extended
    hash_multirange_extended hash_numeric_extended hash_range_extended hash_record_extended hashboolextended hashbpcharextended
    hashbyteaextended hashcharextended hashcidextended hashdateextended hashenumextended hashfloat4extended hashfloat8extended
    hashinetextended hashint2extended hashint4extended hashint8extended hashmacaddr8extended hashmacaddrextended hashnameextended
    hashoidextended hashoidvectorextended hashtextextended hashtidextended hashxid8extended hashxidextended inetmi int28div int28mi
    int28mul int28pl int2_sum int2int4_sum int48div int48mi int48mul int48pl int4_sum int8 int82div int82mi int82mul int82pl int84div
    int84mi int84mul int84pl int8abs int8and int8dec int8dec_any int8div int8inc int8inc_any int8inc_float8_float8 int8larger int8mi
    int8mod int8mul int8not int8or int8pl int8shl int8shr int8smaller int8um int8up int8xor interval_hash_extended jsonb_hash_extended
    lastval lo_lseek64 lo_tell64 nextval rank regr_count row_number setval time_hash_extended timestamp_hash_extended
    timestamptz_hash_extended timetz_hash_extended txid_current txid_current_if_assigned txid_snapshot_xmax txid_snapshot_xmin
    uuid_hash_extended`,
  'text': `
    abbrev anytextcat array_dims array_to_string casefold cash_words chr col_description concat concat_ws convert_from current_query
    current_setting encode format format_type host icu_unicode_version initcap json_array_element_text json_extract_path_text
    json_object_field_text json_typeof jsonb_array_element_text jsonb_extract_path_text jsonb_object_field_text jsonb_pretty
    jsonb_typeof left lpad md5 normalize obj_description oidvectortypes querytree quote_ident quote_literal quote_nullable
    regexp_replace regexp_substr repeat replace right rpad set_config shobj_description similar_escape similar_to_escape split_part
    system_user text text_larger text_smaller textanycat textcat timeofday to_ascii to_bin to_char to_hex to_oct translate txid_status
    unicode_version unistr version`,
  'bytea': `
    boolsend bpcharsend bytea bytea_larger bytea_smaller byteacat byteasend charsend cidsend convert convert_to decode float4send
    float8send int2send int2vectorsend int4send int8send lo_get loread namesend oidsend oidvectorsend regclasssend regcollationsend
    regconfigsend regdictionarysend regnamespacesend regoperatorsend regopersend regproceduresend regprocsend regrolesend regtypesend
    set_byte sha224 sha256 sha384 sha512 textsend tidsend tsquerysend tsvectorsend unknownsend varcharsend xid8send xidsend`,
  'numeric': `
    div extract factorial int8_avg int8_sum numeric numeric_abs numeric_add numeric_div numeric_div_trunc numeric_exp numeric_inc
    numeric_larger numeric_ln numeric_log numeric_mod numeric_mul numeric_power numeric_smaller numeric_sqrt numeric_sub numeric_uminus
    numeric_uplus to_number trim_scale`,
  'jsonb': `
    jsonb_agg jsonb_agg_strict jsonb_array_element jsonb_build_array jsonb_build_object jsonb_concat jsonb_delete jsonb_delete_path
    jsonb_extract_path jsonb_insert jsonb_object jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique
    jsonb_object_agg_unique_strict jsonb_object_field jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
    jsonb_path_query_first_tz jsonb_set jsonb_set_lax jsonb_strip_nulls to_jsonb`,
  'money': `
    cash_div_flt4 cash_div_flt8 cash_div_int2 cash_div_int4 cash_div_int8 cash_mi cash_mul_flt4 cash_mul_flt8 cash_mul_int2
    cash_mul_int4 cash_mul_int8 cash_pl cashlarger cashsmaller flt4_mul_cash flt8_mul_cash int2_mul_cash int4_mul_cash int8_mul_cash
    money`,
  'xml': `
    cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema database_to_xmlschema query_to_xml
    query_to_xml_and_xmlschema query_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema table_to_xml
    table_to_xml_and_xmlschema table_to_xmlschema xml xmlagg xmlcomment xmlconcat2 xmltext`,
  'point': `
    box_center center circle_center close_ls close_lseg close_pb close_pl close_ps close_sb line_interpt lseg_center lseg_interpt point
    point_add point_div point_mul point_sub poly_center`,
  'smallint': `
    int2 int2abs int2and int2div int2larger int2mi int2mod int2mul int2not int2or int2pl int2shl int2shr int2smaller int2um int2up
    int2xor uuid_extract_version`,
  'timestamp with time zone': `
    clock_timestamp date_add date_subtract datetimetz_pl interval_pl_timestamptz make_timestamptz now statement_timestamp timestamptz
    timestamptz_larger timestamptz_mi_interval timestamptz_pl_interval timestamptz_smaller timetzdate_pl to_timestamp
    transaction_timestamp uuid_extract_timestamp`,
  'interval': `
    interval interval_div interval_larger interval_mi interval_mul interval_pl interval_smaller interval_um justify_days justify_hours
    justify_interval make_interval mul_d_interval time_mi_time timestamp_mi timestamptz_mi`,
  'json': `
    array_to_json json_agg json_agg_strict json_array_element json_build_array json_build_object json_extract_path json_object
    json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict json_object_field json_strip_nulls
    row_to_json to_json`,
  'inet': `
    broadcast hostmask inet_client_addr inet_server_addr inetand inetmi_int8 inetnot inetor inetpl int8pl_inet netmask network_larger
    network_smaller`,
  'real': `
    float4 float4abs float4div float4larger float4mi float4mul float4pl float4smaller float4um float4up ts_rank ts_rank_cd`,
  'timestamp without time zone': `
    date_mi_interval date_pl_interval datetime_pl interval_pl_date interval_pl_timestamp make_timestamp timedate_pl timestamp
    timestamp_larger timestamp_mi_interval timestamp_pl_interval timestamp_smaller`,
  'tsquery': `
    phraseto_tsquery plainto_tsquery to_tsquery ts_rewrite tsquery_and tsquery_not tsquery_or tsquery_phrase websearch_to_tsquery`,
  'tsvector': `
    array_to_tsvector json_to_tsvector jsonb_to_tsvector setweight strip to_tsvector ts_delete ts_filter tsvector_concat`,
  'date': `
    date date_larger date_mii date_pli date_smaller integer_pl_date make_date to_date`,
  'name': `
    current_database current_schema current_user getdatabaseencoding getpgusername name nameconcatoid session_user`,
  'path': `
    path path_add path_add_pt path_div_pt path_mul_pt path_sub_pt pclose popen`,
  'bit': `
    bit bitand bitnot bitor bitshiftleft bitshiftright bitxor`,
  'box': `
    bound_box box box_add box_div box_intersect box_mul box_sub`,
  'oid': `
    lo_creat lo_create lo_from_bytea lo_import oid oidlarger oidsmaller`,
  'time without time zone': `
    interval_pl_time make_time time time_larger time_mi_interval time_pl_interval time_smaller`,
  'text[]': `
    parse_ident regexp_match regexp_split_to_array string_to_array ts_lexize tsvector_to_array`,
  'time with time zone': `
    interval_pl_timetz timetz timetz_larger timetz_mi_interval timetz_pl_interval timetz_smaller`,
  'bigint[]': `
    int2_avg_accum int2_avg_accum_inv int4_avg_accum int4_avg_accum_inv int4_avg_combine`,
  'circle': `
    circle circle_add_pt circle_div_pt circle_mul_pt circle_sub_pt`,
  'double precision[]': `
    float4_accum float8_accum float8_combine float8_regr_accum float8_regr_combine`,
  'macaddr8': `
    macaddr8 macaddr8_and macaddr8_not macaddr8_or macaddr8_set7bit`,
  'macaddr': `
    macaddr macaddr_and macaddr_not macaddr_or`,
  'aclitem[]': `
    acldefault aclinsert aclremove`,
  'character': `
    bpchar bpchar_larger bpchar_smaller`,
  'cidr': `
    cidr inet_merge network`,
  'tid': `
    currtid2 tidlarger tidsmaller`,
  'uuid': `
    gen_random_uuid uuidv4 uuidv7`,
  'bit varying': `
    bitcat varbit`,
  'lseg': `
    diagonal lseg`,
  'regclass': `
    regclass to_regclass`,
  'xid8': `
    xid8_larger xid8_smaller`,
  '"char"': `
    char`,
  'aclitem': `
    makeaclitem`,
  'character varying': `
    varchar`,
  'integer[]': `
    array_positions`,
  'line': `
    line`,
  'name[]': `
    current_schemas`,
  'pg_lsn': `
    numeric_pl_pg_lsn`,
  'polygon': `
    polygon`,
  'regcollation': `
    to_regcollation`,
  'regconfig': `
    get_current_ts_config`,
  'regnamespace': `
    to_regnamespace`,
  'regoper': `
    to_regoper`,
  'regoperator': `
    to_regoperator`,
  'regproc': `
    to_regproc`,
  'regprocedure': `
    to_regprocedure`,
  'regrole': `
    to_regrole`,
  'regtype': `
    to_regtype`,
  'txid_snapshot': `
    txid_current_snapshot`,
  'xid': `
    xid`,
  'xml[]': `
    xpath`,
  '': `
    abs age any_value array_agg array_append array_cat array_fill array_larger array_prepend array_remove array_replace array_reverse
    array_sample array_shuffle array_smaller array_sort avg bit_and bit_or bit_xor btrim ceil ceiling date_bin date_trunc datemultirange
    daterange daterange_canonical enum_first enum_larger enum_last enum_range enum_smaller exp first_value floor fmgr_c_validator
    fmgr_internal_validator fmgr_sql_validator gcd int4multirange int4range int4range_canonical int8multirange int8range
    int8range_canonical json_populate_record json_to_record jsonb_populate_record jsonb_to_record lag last_value lcm lead length
    like_escape ln lo_put log log10 lower ltrim max min mod mode multirange multirange_intersect multirange_minus multirange_union
    nth_value nummultirange numrange overlay percentile_cont percentile_disc plpgsql_call_handler plpgsql_validator pow power random
    range_agg range_intersect range_intersect_agg range_merge range_minus range_union record_larger record_smaller reverse round rtrim
    set_bit set_masklen setseed sign sqrt stddev stddev_pop stddev_samp string_agg substr substring sum timezone trim_array trunc
    ts_headline tsmultirange tsrange tstzmultirange tstzrange upper var_pop var_samp variance`,
};

/** Names with at least one overload that returns a set. */
const setReturning = `
    aclexplode generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text
    json_object_keys json_populate_recordset json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text
    jsonb_object_keys jsonb_path_query jsonb_path_query_tz jsonb_populate_recordset jsonb_to_recordset regexp_matches
    regexp_split_to_table string_to_table ts_parse ts_stat ts_token_type txid_snapshot_xip unnest`;

/** Names of aggregates. */
const aggregates = `
    any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist dense_rank every json_agg
    json_agg_strict json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict jsonb_agg
    jsonb_agg_strict jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict max min mode
    percent_rank percentile_cont percentile_disc range_agg range_intersect_agg rank regr_avgx regr_avgy regr_count regr_intercept
    regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg`;

const list = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** Built-in name to the one result type of all its overloads, or `''`. Set-returning names are not here. */
export const plainBuiltins: ReadonlyMap<string, string> =
  new Map(Object.entries(byResult).flatMap(([type, names]) => list(names).map(name => [name, type] as const)));
export const setReturningBuiltins: ReadonlySet<string> = new Set(list(setReturning));
export const aggregateBuiltins: ReadonlySet<string> = new Set(list(aggregates));

/** Whether a built-in function has this name: such a name is never proof of a routine of the history. */
export function isBuiltinFunction(name: string): boolean {
  return plainBuiltins.has(name) || setReturningBuiltins.has(name) || name.startsWith('pg_');
}
