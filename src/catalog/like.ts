import type { Constraint, Index, Table } from '../model.ts';
import type { RangeVar, TableLikeClause } from '../sql/tree.ts';
import {
  find, freeName, isSelectable, isUnknown, objectName, refuseMissing, writtenName, type Change, type Outcome,
} from './change.ts';
import { makeIndex } from './indexes.ts';
import type { Draft } from './tables.ts';

/** The bits of TableLikeClause.options that matter here (parsenodes.h; the parser's values are checked in the tests). */
const including = { constraints: 4, identity: 32, indexes: 64 } as const;
const includes = (like: TableLikeClause, what: keyof typeof including): boolean => ((like.options ?? 0) & including[what]) !== 0;

/** Columns of LIKE: names, types and NOT NULL always; a sequence of its own only for a copied identity. */
export function likeColumns(change: Change, like: TableLikeClause, draft: Draft): Outcome {
  const written = writtenName(like.relation as RangeVar | undefined);
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (!isSelectable(relation) || isUnknown(relation.columns)) draft.unknown = `the columns of ${written.name}`;
  else draft.columns.push(...relation.columns.map(({ name, type, notNull }) => ({ name, type, notNull: relation.kind === 'table' ? notNull : false })));
  return undefined;
}

/** What LIKE … INCLUDING brings along once the table stands: checks by their names, keys and indexes under new ones (measured by the agreement). */
export function likeParts(change: Change, like: TableLikeClause, made: Table): void {
  const found = change.store.find(writtenName(like.relation as RangeVar | undefined));
  if (found.is !== 'present') return;
  const source = found.object;
  if (source.kind === 'table' && includes(like, 'constraints')) {
    for (const constraint of source.constraints) if (constraint.kind === 'check') addTo(change, made.id, constraint);
  }
  if ((source.kind === 'table' || source.kind === 'matview') && includes(like, 'indexes'))
    for (const index of change.store.indexesOf(source.id).toSorted(byKind)) copyIndex(change, index, made);
}

/** Constraints first, the primary key before the others, as transformIndexConstraints orders them. */
function byKind(a: Index, b: Index): number {
  const order = (index: Index): number => (index.constraint === undefined ? 2 : index.name.name.endsWith('_pkey') ? 0 : 1);
  return order(a) - order(b) || a.id - b.id;
}

function addTo(change: Change, id: number, constraint: Constraint): void {
  const table = change.store.get(id);
  if (table?.kind === 'table') change.store.put({ ...table, constraints: [...table.constraints, constraint] });
}

/** The word that a column or an expression has in the name of an index (FigureIndexColname). */
const part = (column: Index['columns'][number]): string =>
  column.column ?? /^"?([a-z_][\w$]*)"?\s*\(/i.exec(column.expression ?? '')?.[1]?.toLowerCase() ?? 'expr';

function copyIndex(change: Change, index: Index, made: Table): void {
  const owner = change.store.get(index.on);
  const old = owner?.kind === 'table' ? owner.constraints.find(constraint => constraint.index === index.id) : undefined;
  const { schema } = made.name;
  const words = [...index.columns.map(part), ...index.include];
  const suffix = old?.kind === 'primary key' ? 'pkey' : old?.kind === 'exclude' ? 'excl' : old === undefined ? 'idx' : 'key';
  const name = freeName(change.store, schema, objectName(made.name.name, old?.kind === 'primary key' ? undefined : words.join('_'), suffix));
  const { columns, unique, method, include, nullsNotDistinct, predicate, options } = index;
  const held = change.store.dependencies(index.id);
  const uses = held.find(({ on }) => on === index.on)?.columns;
  const id = makeIndex(change, made, name, {
    columns, unique, method, include, nullsNotDistinct, options, ...(predicate === undefined ? {} : { predicate }), ...(old === undefined ? {} : { constraint: name }),
  }, uses);
  for (const { on, strength } of held) if (on !== index.on) change.store.depend({ dependent: id, on, strength });
  if (old !== undefined) addTo(change, made.id, { ...old, name, index: id });
}
