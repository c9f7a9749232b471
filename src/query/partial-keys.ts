import { parse } from '../sql/parse.ts';
import type { Node } from '../sql/tree.ts';
import { conjuncts, peek } from './conditions.ts';
import type { Place } from './expression.ts';
import { typeWord } from './inputs.ts';
import { isParent } from './keys.ts';
import { law, type Law } from './laws.ts';
import { strings } from './names.ts';
import { isUnknown, type Entry } from './scope.ts';

/**
 * The laws of partial unique indexes whose predicate the conditions imply: every part of it stands among them, or is `x IS NOT NULL` of what
 * a condition keeps from being NULL. Children of a parent repeat its keys, so a parent has none.
 */
export function partialLaws(parts: readonly Node[], place: Place): readonly Law[] {
  if (parts.length === 0) return [];
  const { scope, run } = place;
  return scope.sources.flatMap(source => source.entries.flatMap((entry): readonly Law[] => {
    const { relation } = entry;
    if (relation?.kind !== 'table' || isUnknown(relation.columns)) return [];
    const partial = run.catalog.indexesOf(relation.id).filter(({ unique, predicate, valid }) => unique && predicate !== undefined && valid === true);
    if (partial.length === 0 || isParent(relation, run.catalog)) return [];
    const rows = new Set(source.facts.rows);
    const row = entry.columns[0] === undefined ? undefined
      : source.facts.laws.find(item => item.missingToo === true && item.from.length === 1 && rows.has(item.from[0]!) && item.to.includes(entry.columns[0]!.ids[0]!))?.from[0];
    if (row === undefined) return [];
    let known: ReadonlySet<string> | undefined;
    return partial.flatMap((index): readonly Law[] => {
      const ids = index.columns.map(key => (key.expression !== undefined ? undefined : entry.columns.find(({ name }) => name === key.column)?.ids[0]));
      if (!ids.every(id => id !== undefined)) return [];
      known ??= new Set(parts.flatMap(part => written(part, entry, node => peek(node, scope.sources) !== undefined && entry.columns.includes(peek(node, scope.sources)!)) ?? []));
      const asked = predicateParts(index.predicate!);
      const holds = asked.length > 0 && asked.every(part => {
        const column = 'NullTest' in part && part.NullTest.nulltesttype === 'IS_NOT_NULL' ? named(part.NullTest.arg, entry) : undefined;
        if (column !== undefined && (column.nullable === false || column.ids.some(id => scope.strict.has(id)))) return true;
        const text = written(part, entry, () => true);
        return text !== undefined && known!.has(text);
      });
      return holds ? [law(ids, [row], index.nullsNotDistinct ? {} : { weak: true })] : [];
    });
  }));
}

function predicateParts(predicate: string): readonly Node[] {
  const parsed = parse(`SELECT WHERE ${predicate}`);
  return parsed.ok && 'SelectStmt' in parsed.node ? conjuncts(parsed.node.SelectStmt.whereClause) : [];
}

const named = (node: Node | undefined, entry: Entry): Entry['columns'][number] | undefined =>
  (node !== undefined && 'ColumnRef' in node ? entry.columns.find(({ name }) => name === strings(node.ColumnRef.fields).at(-1)) : undefined);

/** A condition by its columns' bare names, as the catalog may print it: without the casts of texts to text, `x = true` as x. Undefined where it names others. */
function written(part: Node, entry: Entry, isOwn: (node: Node) => boolean): string | undefined {
  let whole = true;
  const plain = (item: unknown): unknown => {
    if (typeof item !== 'object' || item === null) return item;
    if (Array.isArray(item)) return item.map(plain);
    if ('ColumnRef' in item) {
      const column = named(item as Node, entry);
      if (column === undefined || !isOwn(item as Node)) whole = false;
      return `column ${column?.name ?? ''}`;
    }
    if ('SubLink' in item || 'FuncCall' in item) whole = false;
    const node = item as Node;
    if ('TypeCast' in node && ['text', 'varchar', 'bpchar'].includes(typeWord(node.TypeCast.typeName) ?? '') && isText(node.TypeCast.arg, entry)) return plain(node.TypeCast.arg);
    if ('BooleanTest' in node && node.BooleanTest.booltesttype === 'IS_TRUE') return plain(node.BooleanTest.arg);
    if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP' && strings(node.A_Expr.name).join('.') === '=' && node.A_Expr.rexpr !== undefined && 'A_Const' in node.A_Expr.rexpr
      && node.A_Expr.rexpr.A_Const.boolval?.boolval === true) return plain(node.A_Expr.lexpr);
    return Object.fromEntries(Object.entries(item).filter(([key]) => !['location', 'list_start', 'list_end'].includes(key)).map(([key, value]) => [key, plain(value)]));
  };
  const text = JSON.stringify(plain(part));
  return whole ? text : undefined;
}

/** A string constant, or a column of text. */
function isText(node: Node | undefined, entry: Entry): boolean {
  if (node === undefined) return false;
  if ('A_Const' in node) return node.A_Const.sval !== undefined;
  const type = named(node, entry)?.type;
  return typeof type === 'string' && /^(text|character varying)/.test(type);
}
