/** Runs a history on an embedded Postgres under observation and keeps what happened, migration by migration. */
import { turns } from '../../catalog/order.ts';
import { Sender } from '../../live/sender.ts';
import { failed, type LiveSession } from '../../live/session.ts';
import { missingRoles } from '../../live/stubs.ts';
import type { History } from '../../model.ts';
import { forget, inCode, innerStatement, observe, type LogRow, type State } from './observer.ts';

/** A DDL command that happened and stayed. */
export interface Happened extends Pick<LogRow, 'tag' | 'objects' | 'dropped' | 'ignored'> {
  readonly ordinal: number;
  readonly transaction: number;
  /** The text of the command, as the client or the code gave it. */
  readonly sql: string;
  readonly code: boolean;
  readonly before: State;
  readonly after: State;
}

/** A statement of the history that was sent. Statements outside a block have a transaction of their own. */
export interface Sent {
  readonly ordinal: number;
  readonly sql: string;
  readonly transaction: number;
  readonly explicit: boolean;
  readonly before: State;
  readonly after: State;
  readonly refusal?: { readonly sqlstate: string; readonly message: string };
}

/** A REFRESH that stands in a routine's body, and what Postgres says when it is sent. */
export interface Site {
  readonly routine: number;
  readonly holder: string;
  readonly sql: string;
  readonly name: string;
  readonly concurrently: boolean;
  /** It runs only where the name is there. */
  readonly guarded: boolean;
  readonly answer: string;
}

export interface Deploy {
  readonly migration: string;
  readonly start: State;
  readonly end: State;
  readonly sent: readonly Sent[];
  readonly events: readonly Happened[];
  /** What happened before a refusal in its transaction undid it: locks were held and time went by, and nothing stayed. */
  readonly undone: readonly Happened[];
  readonly sitesBefore: readonly Site[];
  readonly sitesAfter: readonly Site[];
  /** SQLSTATE of a refresh of each materialized view, by its oid; `ok` when it works. */
  readonly refreshBefore: ReadonlyMap<number, string>;
  readonly refreshAfter: ReadonlyMap<number, string>;
  /** Materialized views that were populated at some time before the migration. */
  readonly everPopulated: ReadonlySet<number>;
}

const site = /\brefresh\s+materialized\s+view\s+(concurrently\s+)?((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)(\s+with\s+no\s+data)?/gi;

/** The random histories' loop over names that are asked for first. */
const guarded = /in array array\[([^\]]*)\] loop if to_regclass\(n\) is not null then execute format\('refresh materialized view %I', n\)/gi;

/** A call that hands over a name, and what the random histories' routines do with it. */
const handed = /\b(f\d+)\('(\w+)'\)/g;
const byName = "execute format('refresh materialized view %I', target)";

class Observation {
  private readonly session: LiveSession;
  private lastId = 0;
  private transaction = 0;

  constructor(session: LiveSession) {
    this.session = session;
  }

  private async ask(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const answer = await this.session.probe(sql);
    if (failed(answer)) throw new Error(`${answer.sqlstate} ${answer.message}\n${sql}`);
    return answer.rows;
  }

  async state(): Promise<State> {
    return (await this.ask('SELECT mvlint_oracle.state() AS state'))[0]!['state'] as State;
  }

  async rows(): Promise<readonly LogRow[]> {
    const rows = await this.ask(`SELECT id, tag, context, state, objects, dropped, ignored FROM mvlint_oracle.log WHERE id > ${this.lastId} ORDER BY id`) as unknown as LogRow[];
    this.lastId = rows.at(-1)?.id ?? this.lastId;
    // CONCURRENTLY makes and drops tables of its own.
    return rows.filter(({ context }) => !/pg_temp_\d+\.pg_temp_\d+/.test(context));
  }

  nextTransaction(): number {
    return ++this.transaction;
  }

  private async tried(sql: string): Promise<string> {
    await this.ask('BEGIN');
    await this.ask("SET LOCAL search_path = '$user', public");
    await this.ask('SET LOCAL mvlint_oracle.off = on');
    const answer = await this.session.probe(sql);
    await this.ask('ROLLBACK');
    return failed(answer) ? answer.sqlstate : 'ok';
  }

  async sites({ routines }: State): Promise<readonly Site[]> {
    const found: Site[] = [];
    const known = new Map<string, string>();
    for (const { oid, name: holder, source } of routines)
      // Names that code puts behind the words by quote_ident stand there at run time.
      for (const [sql, concurrently, name = ''] of source.replace(/'\s*\|\|\s*quote_ident\('(\w+)'\)/g, "$1'").matchAll(site)) {
        if (!known.has(sql)) known.set(sql, await this.tried(sql));
        const bare = name.replaceAll('"', '').replace(/^public\./, '');
        found.push({ routine: oid, holder, sql, name: bare, concurrently: concurrently !== undefined, guarded: false, answer: known.get(sql)! });
      }
    for (const { oid, name: holder, source } of routines)
      for (const [, list = ''] of source.matchAll(guarded))
        for (const [, name = ''] of list.matchAll(/'(\w+)'/g)) {
          const sql = `refresh materialized view ${name}`;
          found.push({ routine: oid, holder, sql, name, concurrently: false, guarded: true, answer: await this.tried(sql) });
        }
    // What a routine hands to one that refreshes by name is its own, unless that one refreshes it anyway.
    for (const { oid, name: holder, source } of routines)
      for (const [, callee = '', name = ''] of source.matchAll(handed)) {
        const called = routines.find(other => other.name === callee);
        const sql = `refresh materialized view ${name}`;
        if (called?.source.includes(byName) !== true || found.some(one => one.routine === called.oid && one.name === name && !one.concurrently)) continue;
        found.push({ routine: oid, holder, sql, name, concurrently: false, guarded: false, answer: await this.tried(sql) });
      }
    return found;
  }

  async refreshes({ rels }: State): Promise<ReadonlyMap<number, string>> {
    const found = new Map<number, string>();
    for (const { oid, kind, schema, name } of rels)
      if (kind === 'm') found.set(oid, await this.tried(`REFRESH MATERIALIZED VIEW "${schema}"."${name}"`));
    return found;
  }
}

/** What happened when a history ran. `session`: a new one on a pristine server. */
export async function traceOf(history: History, session: LiveSession): Promise<readonly Deploy[]> {
  for (const { create } of missingRoles(history)) await session.send(create);
  for (const sql of observe) {
    const answer = await session.send(sql);
    if (failed(answer)) throw new Error(`${answer.message}\n${sql}`);
  }
  const seen = new Observation(session);
  const sender = new Sender(session, history, []);
  const deploys: Deploy[] = [];
  let start = await seen.state();
  let last = start;
  let sites = await seen.sites(start);
  let refreshes = await seen.refreshes(start);
  const populated = new Set<number>();
  let sent: Sent[] = [];
  let events: Happened[] = [];
  let undone: Happened[] = [];
  let transaction = 0;
  const all = [...turns(history)];
  for (const [at, turn] of all.entries()) {
    await sender.enter(turn);
    const inside = session.transaction !== 'none';
    if (!inside) transaction = seen.nextTransaction();
    const before = last;
    const fate = await sender.send(turn);
    const { ordinal, statement: { sql } } = turn;
    const lost = session.transaction === 'failed' || (fate.is === 'refused' && !inside);
    if (!lost) {
      for (const row of await seen.rows()) {
        const { tag, objects, dropped, ignored, context, state } = row;
        events.push({ ordinal, transaction, tag, objects, dropped, ignored, sql: innerStatement(context) ?? sql, code: inCode(context), before: last, after: state });
        last = row.state;
      }
      last = await seen.state();
    }
    sent.push({
      ordinal, sql, transaction, explicit: inside || session.transaction !== 'none', before, after: last,
      ...(fate.is === 'refused' ? { refusal: fate.answer } : {}),
    });
    const next = all[at + 1];
    const over = next?.migration !== turn.migration;
    if (over) await sender.close();
    if (session.transaction === 'none' && sent.some(one => one.transaction === transaction && one.refusal !== undefined)) {
      undone.push(...events.filter(one => one.transaction === transaction));
      events = events.filter(one => one.transaction !== transaction);
      last = await seen.state();
    }
    if (!over) continue;
    if (session.transaction !== 'none') await session.send('ROLLBACK');
    for (const sql of ['RESET ROLE', 'RESET search_path']) await session.probe(sql);
    const end = await seen.state();
    const [sitesAfter, refreshAfter] = [await seen.sites(end), await seen.refreshes(end)];
    for (const rel of start.rels) if (rel.kind === 'm' && rel.populated) populated.add(rel.oid);
    deploys.push({
      migration: turn.migration.id, start, end, sent, events, undone, sitesBefore: sites, sitesAfter, refreshBefore: refreshes, refreshAfter, everPopulated: new Set(populated),
    });
    for (const { after } of events) for (const rel of after.rels) if (rel.kind === 'm' && rel.populated) populated.add(rel.oid);
    [start, last, sites, refreshes, sent, events, undone] = [end, end, sitesAfter, refreshAfter, [], [], []];
  }
  for (const sql of forget) await session.probe(sql);
  return deploys;
}
