import type { RefreshSite } from '../model.ts';
import { literalText, sliceText, statementText, textStatement, type Text } from '../sql/text.ts';
import { tokenize } from '../sql/tokens.ts';
import type { Node, RangeVar } from '../sql/tree.ts';
import type { Change } from './change.ts';
import { fold } from './code/fold.ts';
import { sitesOfJob } from './code/sites.ts';
import { misuse } from './incremental/calls.ts';
import { refreshesByHand } from './incremental/misuses.ts';

/** cron.schedule and its siblings: a refresh in the scheduled text is a refresh site. */
export function schedule(change: Change, name: string, args: readonly Node[]): void {
  const scope = { catalog: change.store, postgres: change.postgres, variables: change.code?.variables ?? new Map() };
  const texts = args.flatMap(arg => {
    const value = fold(arg, statementText(change.statement), scope);
    return value.is === 'text' ? [value.text] : [];
  });
  const [first] = texts;
  if (name === 'unschedule' || name === 'alter_job') return forgetJobs(change);
  const named = texts.length > 2 && first !== undefined ? `job ${first.text}` : 'a scheduled job';
  if (named !== 'a scheduled job') change.store.sites = change.store.sites.filter(site => site.holder !== named);
  change.store.sites = [...change.store.sites, ...texts.flatMap(text => sitesOfJob(change, text, named))];
  for (const text of texts) noteHandRefresh(change, text, named);
}

/** A job that refreshes what an engine keeps up to date by itself. */
function noteHandRefresh(change: Change, text: Text, job: string): void {
  for (const { name, engine, start, end } of refreshesByHand(text.text)) {
    const { span } = textStatement(sliceText(text, start, end), change.statement.span);
    const says = engine === 'pg_ivm' ? `${job} computes with ${name} anew what pg_ivm keeps up to date with every write`
      : `${job} runs ${name} beside pg_trickle's own scheduler`;
    misuse(change, { engine, code: 'by-hand', says, span, instead: engine === 'pg_ivm' ? 'no job at all' : 'the schedule of the stream table' });
  }
}

/**
 * Jobs that a statement takes away or changes: those whose names it holds as constants; without one, nobody can tell which, and no job is known to run on.
 */
export function forgetJobs(change: Change): void {
  const constants = new Set(tokenize(change.statement.sql).filter(token => token.kind === 'string')
    .map(token => literalText(statementText(change.statement), token.start, token.end)?.text));
  const isNamed = ({ by, holder }: RefreshSite): boolean => by === 'job' && constants.has(holder.replace(/^job /, ''));
  const named = change.store.sites.some(isNamed);
  change.store.sites = change.store.sites.filter(site => (named ? !isNamed(site) : site.by !== 'job'));
}

/** Whether it is the table in which pg_cron keeps its jobs. */
export const isJobTable = (relation: RangeVar | undefined): boolean => relation?.schemaname === 'cron' && relation.relname === 'job';
