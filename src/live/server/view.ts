import type { Known, Name, ObservedIndex, ObservedView, Server, SqlFailure, Unknown, Volatility } from '../../model.ts';
import { quoteName } from '../../sql/print.ts';
import { refused, type Answer, type ReadSession, type Reading, type Row } from './session.ts';

/** Why a question has no answer, in words that name the right or the wait. */
function whyNot({ sqlstate, message }: SqlFailure): Unknown {
  if (sqlstate === '55P03') return { unknown: 'somebody holds a lock on it, as a plain refresh does' };
  if (sqlstate === '57014') return { unknown: 'the server did not answer in time' };
  if (sqlstate === '42501') return { unknown: `the role lacks a right: ${message}` };
  return { unknown: message };
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
const number = (value: unknown): number => Number(value ?? 0);
const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
const nameOf = (row: Row): Name => ({ schema: text(row['schema']), name: text(row['name']) });
const rowsOf = (answer: Answer): readonly Row[] => (refused(answer) ? [] : answer);
const known = <T>(answer: Answer, read: (rows: readonly Row[]) => Known<T>): Known<T> => (refused(answer) ? whyNot(answer) : read(answer));

const volatilities: Readonly<Record<string, Volatility>> = { i: 'immutable', s: 'stable', v: 'volatile' };

function indexOf(row: Row): ObservedIndex {
  const scans = row['scans'];
  return {
    name: text(row['name']), unique: row['unique'] === true, valid: row['valid'] === true, usable: row['usable'] === true, columns: list(row['columns']),
    scans: typeof scans === 'number' ? scans : { unknown: 'no statistics are kept of it' },
  };
}

/** NULL fractions; an empty answer means that the role may not read the view, or that nobody analyzed it. */
function nullsOf(rows: readonly Row[], view: Row, name: Name): ObservedView['nulls'] {
  if (rows.length > 0) return rows.map(row => ({ column: text(row['column']), fraction: number(row['fraction']) }));
  if (view['usage'] !== true) return { unknown: `the role lacks USAGE on schema ${name.schema}` };
  if (view['readable'] !== true) return { unknown: `the role lacks SELECT on ${quoteName(name, [])}` };
  return { unknown: 'it was never analyzed' };
}

export interface ViewOptions {
  /** Ask the planner for the cost of a refresh. */
  readonly explain?: boolean;
  /** pg_trickle's own check can be asked. */
  readonly trickle?: boolean;
}

/** One view, in one transaction. Undefined when there is none of that name; rejects only when the connection is gone. */
export async function observeView(session: ReadSession, name: Name, options: ViewOptions = {}): Promise<ObservedView | Unknown | undefined> {
  return session.read(async reading => {
    const { ask } = reading;
    const found = await ask('view', name.schema, name.name);
    if (refused(found)) return whyNot(found);
    const [view] = found;
    if (view === undefined) return undefined;
    const oid = text(view['oid']);
    const indexes = await ask('viewIndexes', oid);
    const nulls = await ask('viewNulls', name.schema, name.name);
    const dependants = await ask('viewDependants', oid);
    const grants = await ask('viewGrants', oid);
    const sources = await ask('viewSources', oid);
    const routines = rowsOf(await ask('viewRoutines', oid)).map(row => ({
      name: nameOf(row), volatility: volatilities[text(row['volatility'])] ?? 'volatile', builtin: row['builtin'] === true,
    }));
    const [locks] = rowsOf(await ask('viewReaders', oid));
    const [cost] = rowsOf(await ask('viewCost', oid));
    const plan = options.explain === true ? await planOf(reading, oid, routines, cost?.['secured'] === true) : undefined;
    const trickle = options.trickle === true ? await trickleOf(reading, oid) : undefined;
    // Last: a lock on the view makes it wait, and its refusal ends the transaction.
    const size = await ask('viewSize', oid);
    const rows = number(view['rows']);
    const analyzed = view['analyzed'];
    const scans = view['scans'];
    return {
      name, owner: text(view['owner']), populated: view['populated'] === true,
      rows: rows < 0 ? { unknown: 'it was never analyzed' } : rows,
      bytes: known(size, ([row]) => number(row?.['bytes'])),
      indexes: rowsOf(indexes).map(indexOf), nulls: known(nulls, found => nullsOf(found, view, name)),
      dependants: rowsOf(dependants).map(nameOf), grants: rowsOf(grants).map(row => ({ grantee: text(row['grantee']), privileges: list(row['privileges']) })),
      unreadable: rowsOf(sources).map(nameOf), ownerMakesTemporary: view['temporary'] === true, routines,
      analyzed: analyzed === null || analyzed === undefined ? { unknown: 'it was never analyzed' } : text(analyzed),
      scans: typeof scans === 'number' ? scans : { unknown: 'no statistics are kept of it' },
      readers: number(locks?.['readers']), waiting: number(locks?.['waiting']), locked: locks?.['locked'] === true,
      cost: {
        tables: number(cost?.['tables']), bytes: number(cost?.['bytes']),
        rows: cost?.['analyzed'] === true ? number(cost['rows']) : { unknown: 'not every table beneath was analyzed' },
      },
      ...(plan === undefined ? {} : { plan }), ...(trickle === undefined ? {} : { trickle }),
    };
  });
}

/** Planning runs STABLE functions of the query: nobody's own may be among them, nor in a policy. */
async function planOf({ explain }: Reading, oid: string, routines: ObservedView['routines'], secured: boolean): Promise<NonNullable<ObservedView['plan']>> {
  const own = routines.find(({ builtin }) => !builtin);
  if (own !== undefined) return { unknown: `its query calls ${quoteName(own.name, [])}, which is not built in, and planning can run it` };
  if (secured) return { unknown: 'a table beneath has row security, and planning can run what its policies call' };
  return known(await explain(oid), ([row]) => {
    const [top] = (row?.['QUERY PLAN'] ?? []) as readonly { readonly Plan?: Readonly<Record<string, unknown>> }[];
    return top?.Plan === undefined ? { unknown: 'the server gave no plan' } : { cost: number(top.Plan['Total Cost']), rows: number(top.Plan['Plan Rows']) };
  });
}

async function trickleOf({ ask }: Reading, oid: string): Promise<NonNullable<ObservedView['trickle']>> {
  const definition = await ask('viewDefinition', oid);
  if (refused(definition)) return whyNot(definition);
  const query = text(definition[0]?.['definition']).trim().replace(/;$/, '');
  return known(await ask('validate', query), rows => rows.map(row => ({ check: text(row['check_name']), result: text(row['result']), severity: text(row['severity']) })));
}

/** The server as rules and the inventory ask it. Every view is asked once. */
export async function observedServer(session: ReadSession, options: { readonly explain?: boolean } = {}): Promise<Server> {
  const { extensions, replicas, trickle } = await session.read(async ({ ask }) => {
    const engines = rowsOf(await ask('engines'));
    const [may] = rowsOf(await ask('mayValidate'));
    return {
      extensions: Object.fromEntries(engines.map(row => [text(row['name']), text(row['version'])])), trickle: may?.['may'] === true,
      replicas: known(await ask('replicas'), ([row]) => number(row?.['replicas'])),
    };
  });
  const asked = new Map<string, Promise<ObservedView | Unknown | undefined>>();
  return {
    postgres: session.major, extensions, replicas,
    view(name) {
      const key = JSON.stringify([name.schema, name.name]);
      const view = asked.get(key) ?? observeView(session, name, { ...options, trickle });
      asked.set(key, view);
      return view;
    },
  };
}

/** The names of all materialized views. */
export async function viewNames(session: ReadSession): Promise<readonly Name[]> {
  return session.read(async ({ ask }) => rowsOf(await ask('matviews')).map(nameOf));
}
