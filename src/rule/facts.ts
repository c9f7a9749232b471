import type { CatalogObject, Evidence, Known, Name, Selectable, Span, Statement, Unknown } from '../model.ts';

/** Whether a fact is missing. */
export function isUnknown<T>(fact: Known<T>): fact is Unknown {
  return typeof fact === 'object' && fact !== null && 'unknown' in fact;
}

/** The fact, or undefined when it is missing. */
export function known<T>(fact: Known<T>): T | undefined {
  return isUnknown(fact) ? undefined : fact;
}

/** A place and what it shows. */
export function evidence(span: Span, says: string): Evidence {
  return { span, says };
}

/** Where an object was made, as evidence; nothing for what the catalog began with. */
export function madeAt(object: CatalogObject | undefined, says: string): readonly Evidence[] {
  return object?.madeAt ? [{ span: object.madeAt, says }] : [];
}

/** Whether two places are the same. */
export function sameSpan(a: Span, b: Span): boolean {
  return a.path === b.path && a.start === b.start && a.end === b.end;
}

/** Whether two qualified names are the same. */
export const sameName = (a: Name, b: Name): boolean => a.schema === b.schema && a.name === b.name;

/** Whether an object can stand in FROM: a table, a view or a materialized view. */
export function isSelectable(object: CatalogObject | undefined): object is Selectable {
  return object?.kind === 'table' || object?.kind === 'view' || object?.kind === 'matview';
}

/** Whether a statement begins with one of these words (lower case): for statements that have no effect on the catalog. */
export function startsWith(statement: Statement, words: readonly string[]): boolean {
  const [first] = /^[a-z]+/i.exec(statement.sql) ?? [];
  return first !== undefined && words.includes(first.toLowerCase());
}
