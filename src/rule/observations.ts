/** What a database that has seen a migration says of a rule's claim. */
import type { Name, ObservedView, Observe, Verdict } from '../model.ts';
import { list, quote } from './words.ts';

const verdict = (kind: Verdict['kind'], says: string, numbers?: Verdict['numbers']): Verdict => ({ kind, says, ...(numbers === undefined ? {} : { numbers }) });

/** Asks about one view; whoever holds a finding against a database has made sure that it is there. */
function about(name: Name, judge: (view: ObservedView) => Verdict): Observe {
  return async server => {
    const view = await server.view(name);
    if (view === undefined) return verdict('unproven', `The database has no materialized view ${quote(name)}.`);
    return 'unknown' in view ? verdict('unproven', `The view could not be looked at: ${view.unknown}.`) : judge(view);
  };
}

/** The view has no unique index that CONCURRENTLY can use. */
export function lacksUsableIndex(name: Name): Observe {
  return about(name, ({ indexes }) => {
    const usable = indexes.find(index => index.usable);
    if (usable !== undefined) return verdict('refuted', `The database has ${quote(usable.name)}, which a concurrent refresh can use.`);
    const invalid = indexes.filter(index => index.unique && !index.valid);
    return verdict('confirmed', `The database has no unique index on ${quote(name)} that a concurrent refresh can use`
      + `${invalid.length === 0 ? '.' : `; ${list(invalid.map(index => quote(index.name)))} ${invalid.length === 1 ? 'is' : 'are'} invalid.`}`);
  });
}

/** Rows of the view have a NULL in one of these columns. pg_stats is a sample, so that none in it refutes nothing. */
export function holdsNulls(name: Name, columns: readonly string[]): Observe {
  return about(name, ({ nulls, rows }) => {
    if ('unknown' in nulls) return verdict('unproven', `The share of NULLs is not known: ${nulls.unknown}.`);
    const filled = columns.map(column => [column, nulls.find(one => one.column === column)?.fraction ?? 0] as const);
    const worst = filled.reduce((most, one) => (one[1] > most[1] ? one : most), filled[0] ?? ['', 0]);
    if (worst[1] === 0) return verdict('unproven', `No NULL was in ${list(columns.map(column => quote(column)))} when the database was analyzed.`, { 'NULL fraction': 0 });
    const many = typeof rows === 'number' ? `, about ${Math.round(rows * worst[1]).toLocaleString('en-US')} rows that every concurrent refresh writes anew` : '';
    return verdict('confirmed', `${(worst[1] * 100).toFixed(1)} % of ${quote(worst[0])} are NULL there${many}.`, { 'NULL fraction': worst[1] });
  });
}

/** The view has none of these indexes: lists of plain key columns, and whether they are unique. */
export function lacksIndexes(name: Name, wanted: readonly { readonly columns: readonly string[]; readonly unique: boolean }[]): Observe {
  return about(name, ({ indexes }) => {
    const missing = wanted.filter(({ columns, unique }) =>
      !indexes.some(index => index.valid && index.unique === unique && index.columns.join('\0') === columns.join('\0')));
    if (missing.length === 0) return verdict('refuted', `The database has ${wanted.length === 1 ? 'such an index' : 'such indexes'} on ${quote(name)}.`);
    const keys = missing.map(({ columns }) => `(${columns.map(column => quote(column)).join(', ')})`);
    return verdict('confirmed', `The database has no index over ${list(keys)} on ${quote(name)}.`);
  });
}

/** The owner of the view lacks a right that its refresh needs; `concurrently`: the right to temporary tables counts. */
export function ownerRefused(name: Name, concurrently: boolean): Observe {
  return about(name, ({ owner, unreadable, ownerMakesTemporary }) => {
    if (unreadable.length > 0) return verdict('confirmed', `In the database ${quote(owner)} may not read ${list(unreadable.map(each => quote(each)))}.`);
    if (concurrently && !ownerMakesTemporary) return verdict('confirmed', `In the database ${quote(owner)} may not make temporary tables.`);
    return verdict('refuted', `In the database ${quote(owner)} has the rights that a refresh needs.`);
  });
}
