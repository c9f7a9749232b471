import type { Engine } from '../../model.ts';

/** A parameter of an engine's function; one without a default must be given. */
export interface Parameter {
  readonly name: string;
  readonly type: string;
  /** The default as the signature prints it. */
  readonly default?: string;
  /** The first version of the engine that has it. */
  readonly since?: string;
}

/** A function that people call to make an engine maintain something. */
export interface EngineFunction {
  readonly engine: Engine;
  readonly schema: string;
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly returns: string;
  /** STRICT: an argument that is NULL makes it do nothing. */
  readonly strict?: true;
  readonly since?: string;
  /** What did the same before `since`. */
  readonly before?: string;
}

/** The schema that holds an engine's functions; TimescaleDB's stand wherever it was created. */
export const schemaOf: Readonly<Partial<Record<Engine, string>>> = { pg_ivm: 'pgivm', pg_trickle: 'pgtrickle' };

/** The newest version of each engine that the facts speak of: what holds when nothing else is said (facts/ivm.md, head of §1 and §2). */
export const newestVersion: Readonly<Partial<Record<Engine, string>>> = { pg_ivm: '1.16', pg_trickle: '0.108' };

const text = (name: string, fallback?: string): Parameter => ({ name, type: 'text', ...(fallback === undefined ? {}
  : { default: fallback }) });
const flag = (name: string, fallback: string): Parameter => ({ name, type: 'boolean', default: fallback });
const number = (name: string, type: string): Parameter => ({ name, type, default: 'NULL' });

/** pg_ivm 1.16 (facts §1.1, measured; the list is that of pg_proc, trigger functions and get_…_commands left out: nobody misuses those). */
const pgIvm: readonly EngineFunction[] = [
  { name: 'create_immv', parameters: [text('immv'), text('view_definition')], returns: 'bigint', strict: true as const },
  { name: 'refresh_immv', parameters: [text('immv'), flag('with_data', 'true')], returns: 'bigint', strict: true as const },
  { name: 'restore_immv', parameters: [text('immv'), text('view_definition'), flag('populate', 'false')], returns: 'void',
    strict: true as const },
  { name: 'get_immv_def', parameters: [{ name: 'immvrelid', type: 'regclass' }], returns: 'text', strict: true as const },
].map(each => ({ engine: 'pg_ivm' as const, schema: 'pgivm', ...each }));

/** What exists in pg_ivm beside these (pg_proc of schema pgivm, measured). */
export const otherPgIvmFunctions: ReadonlySet<string> = new Set([
  'get_create_immv_commands', 'get_restore_immv_commands', 'ivm_visible_in_prestate', 'IVM_immediate_before', 'IVM_immediate_maintenance',
  'IVM_prevent_immv_change',
]);

const createParameters: readonly Parameter[] = [
  text('name'), text('query'), text('schedule', "'calculated'"), text('refresh_mode', "'AUTO'"), flag('initialize', 'true'),
  text('diamond_consistency', 'NULL'), text('diamond_schedule_policy', 'NULL'), text('cdc_mode', 'NULL'), flag('append_only', 'false'),
  flag('pooler_compatibility_mode', 'false'), text('partition_by', 'NULL'), number('max_differential_joins', 'integer'),
  number('max_delta_fraction', 'double precision'), text('output_distribution_column', 'NULL'), flag('temporal', 'false'),
  text('storage_backend', 'NULL'), { ...number('fillfactor', 'integer'), since: '0.83' }, { ...text('target_freshness', 'NULL'),
    since: '0.83' },
];

const alterParameters: readonly Parameter[] = [
  text('name'),
  ...['query', 'schedule', 'refresh_mode', 'status', 'diamond_consistency', 'diamond_schedule_policy', 'cdc_mode', 'append_only',
    'pooler_compatibility_mode', 'tier', 'fuse', 'fuse_ceiling', 'fuse_sensitivity', 'partition_by', 'max_differential_joins',
      'max_delta_fraction',
    'post_refresh_action', 'reindex_drift_threshold', 'target_freshness'].map(name => text(name, 'NULL')),
];

/**
 * pg_trickle, derived from its source and documentation (facts §2.1, §3); presets and bulk_create are left out: the facts give no
 * signature.
 */
const pgTrickle: readonly EngineFunction[] = [
  { name: 'create_stream_table', parameters: createParameters, returns: 'void' },
  { name: 'create_stream_table_if_not_exists', parameters: createParameters, returns: 'void' },
  { name: 'create_or_replace_stream_table', parameters: createParameters, returns: 'void' },
  { name: 'alter_stream_table', parameters: alterParameters, returns: 'void' },
  { name: 'drop_stream_table', parameters: [text('name'), flag('cascade', 'false')], returns: 'void' },
  { name: 'pause_stream_table', parameters: [text('name')], returns: 'void', since: '0.79',
    before: "alter_stream_table(name, status => 'SUSPENDED')" },
  { name: 'resume_stream_table', parameters: [text('name')], returns: 'void' },
  { name: 'refresh_stream_table', parameters: [text('name')], returns: 'void' },
  { name: 'reinitialize_stream_table', parameters: [text('name')], returns: 'text', since: '0.83', before: 'repair_stream_table(name)' },
  { name: 'repair_stream_table', parameters: [text('name')], returns: 'text' },
  {
    name: 'validate_query', parameters: [text('query')],
    returns: 'table(check_name text, result text, severity text)',
  },
].map(each => ({ engine: 'pg_trickle' as const, schema: 'pgtrickle', ...each }));

const functions: ReadonlyMap<string, EngineFunction> = new Map([...pgIvm, ...pgTrickle].map(each => [`${each.schema}.${each.name}`, each]));

/** The function of an engine's schema. */
export function engineFunction(schema: string, name: string): EngineFunction | undefined {
  return functions.get(`${schema}.${name}`);
}

/** Every function of an engine. */
export const engineFunctions = (engine: Engine): readonly EngineFunction[] => [...functions.values()].filter(each => each.engine === engine);

/** The engine whose function has this name, for calls that leave the schema out. `drop_immv` is asked for although nobody has it. */
export function engineOfName(name: string): 'pg_ivm' | 'pg_trickle' | undefined {
  if (name === 'drop_immv' || functions.has(`pgivm.${name}`)) return 'pg_ivm';
  return name !== 'validate_query' && functions.has(`pgtrickle.${name}`) ? 'pg_trickle' : undefined;
}

/** Negative, zero or positive as one version is older than, the same as or newer than another; by their numbers. */
export function compareVersions(a: string, b: string): number {
  const [ours, theirs] = [a, b].map(version => version.split(/[^\d]+/).map(Number));
  for (let at = 0; at < Math.max(ours?.length ?? 0, theirs?.length ?? 0); at += 1) {
    const difference = (ours?.[at] ?? 0) - (theirs?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The signature as people write it in documentation; what stands beyond the fifth parameter of the long ones is cut. */
export function signatureText({ schema, name, parameters, returns }: EngineFunction): string {
  const shown = parameters.slice(0, 5).map(each => `${each.name} ${each.type}${each.default === undefined ? '' : ` DEFAULT ${each.default}`}`);
  return `${schema}.${name}(${shown.join(', ')}${parameters.length > 5 ? ', …' : ''}) returns ${returns}`;
}
