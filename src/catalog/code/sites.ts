import type { Known, RefreshSite, Routine, WrittenName } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { pieceText, readPlpgsql, type Code, type Piece } from '../../sql/plpgsql.ts';
import { split } from '../../sql/split.ts';
import { sliceText, textStatement, type Text } from '../../sql/text.ts';
import { identifierText, tokenize, type Token } from '../../sql/tokens.ts';
import { writtenName, type Change } from '../change.ts';
import { assignedIn } from './assigned.ts';
import { foldText, type Scope } from './fold.ts';
import { hasHole, unknownValue, type Value } from './values.ts';

/** The text of a search_path setting as a list of schemas. */
export function pathOf(text: string): readonly string[] {
  return text.split(',').map(part => part.trim().replace(/^["'](.*)["']$/, '$1')).filter(part => part !== '');
}

/** A REFRESH that a text holds, and where. */
interface Refresh {
  readonly target: WrittenName;
  readonly concurrently: boolean;
  readonly withData?: false;
  readonly guarded?: true;
  readonly text: Text;
}

/** Conditions that ask whether a relation is there. FOUND is the answer of a SELECT INTO before. */
const asksForIt = /\b(?:to_regclass|pg_matviews|pg_class|pg_views|pg_tables|information_schema|found)\b/i;
/** Handlers that catch 42P01. */
const catchesAbsence = new Set(['others', 'undefined_table']);
const guard = (refreshes: readonly Refresh[]): readonly Refresh[] => refreshes.map(refresh => ({ ...refresh, guarded: true as const }));

/** The refreshes among the statements of a text. */
export function refreshesIn(text: Text): readonly Refresh[] {
  if (!/refresh/i.test(text.text)) return [];
  return split(text.text).flatMap((piece): readonly Refresh[] => {
    if (piece.kind !== 'statement') return [];
    const own = sliceText(text, piece.start, piece.end);
    const parsed = parse(own.text);
    if (!parsed.ok || !('RefreshMatViewStmt' in parsed.node) || hasHole(own.text)) return [];
    const { relation, concurrent, skipData } = parsed.node.RefreshMatViewStmt;
    return [{ target: writtenName(relation), concurrently: concurrent === true, ...(skipData === true ? { withData: false as const } : {}), text: own }];
  });
}

/**
 * The refreshes that a routine may run, whatever its branches say: statements, and texts for EXECUTE that constants make. A refresh whose
 * view only the data names is no site: nobody can tell what breaks it.
 */
export function sitesOfRoutine(
  change: Pick<Change, 'store' | 'postgres'>, routine: Routine, { body, by }: { readonly body: Text | undefined; readonly by: 'routine' | 'trigger' },
): readonly RefreshSite[] {
  const found = body === undefined ? byTokens({ text: routine.statement.sql, origins: routine.statement.origins }) : routine.language === 'plpgsql' ? inPlpgsql(change, routine, body)
    : routine.language === 'sql' ? refreshesIn(body) : [];
  const path = routine.settings.get('search_path');
  // Without a SET of its own the caller's path decides; the one the history runs with stands for it.
  const searchPath: Known<readonly string[]> = path === undefined ? change.store.session.searchPath : pathOf(path);
  return found.map(refresh => ({
    target: refresh.target, concurrently: refresh.concurrently, ...flags(refresh), by, holder: `${routine.form} ${routine.name.name}()`, holderId: routine.id, searchPath,
    span: textStatement(refresh.text, routine.statement.span).span,
  }));
}

const flags = ({ withData, guarded }: Refresh): Pick<RefreshSite, 'withData' | 'guarded'> =>
  ({ ...(withData === false ? { withData } : {}), ...(guarded ? { guarded } : {}) });

/** The refreshes of a job's text. */
export function sitesOfJob(change: Pick<Change, 'store' | 'statement'>, text: Text, holder: string): readonly RefreshSite[] {
  return refreshesIn(text).map(refresh => ({
    target: refresh.target, concurrently: refresh.concurrently, ...flags(refresh), by: 'job', holder, searchPath: change.store.session.searchPath,
    span: textStatement(refresh.text, change.statement.span).span,
  }));
}

function inPlpgsql(change: Pick<Change, 'store' | 'postgres'>, routine: Routine, body: Text): readonly Refresh[] {
  if (!/refresh/i.test(body.text)) return [];
  const read = readPlpgsql(routine.statement.sql, body.text);
  if (!read.ok) return byTokens(body);
  const { code, variables } = read.body;
  const changing = new Set(assignedIn(code));
  const constants = new Map<string, Value>();
  const scope: Scope = { catalog: change.store, postgres: change.postgres, variables: constants };
  const textOf = (piece: Piece): Text => pieceText(body, piece);
  for (const { name, initial, ambiguous } of variables)
    if (!ambiguous && initial !== undefined && !changing.has(name)) constants.set(name, foldText(textOf(initial), scope));
  const visit = (list: readonly Code[], around: Scope): readonly Refresh[] => list.flatMap((item): readonly Refresh[] => {
    switch (item.kind) {
      case 'sql': return refreshesIn(textOf(item.piece));
      case 'execute': {
        const value = foldText(textOf(item.piece), around);
        return value.is === 'text' ? refreshesIn(value.text) : [];
      }
      case 'if': {
        const asked = item.arms.some(({ condition }) => asksForIt.test(textOf(condition).text));
        const found = [...item.arms.flatMap(arm => visit(arm.body, around)), ...visit(item.otherwise, around)];
        return asked ? guard(found) : found;
      }
      case 'block': {
        const caught = item.handlers.some(({ conditions }) => conditions.some(condition => catchesAbsence.has(condition)));
        const body = visit(item.body, around);
        return [...(caught ? guard(body) : body), ...item.handlers.flatMap(handler => visit(handler.body, around))];
      }
      case 'loop': {
        const list = item.over?.kind === 'array' ? foldText(textOf(item.over.expression), around) : unknownValue;
        const [name] = item.target.names;
        if (list.is !== 'list' || name === undefined) return visit(item.body, around);
        return list.items.flatMap(value => visit(item.body, { ...around, variables: new Map([...around.variables, [name, value]]) }));
      }
      default: return [];
    }
  });
  return visit(code, scope);
}

const word = (sql: string, token: Token | undefined): string => (token?.kind === 'word' ? sql.slice(token.start, token.end).toLowerCase() : '');
const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/** REFRESH MATERIALIZED VIEW as words, in a body that the PL/pgSQL parser does not read (or BEGIN ATOMIC, which cannot hold one). */
function byTokens(body: Text): readonly Refresh[] {
  const sql = body.text;
  const tokens = tokenize(sql).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  return tokens.flatMap((token, at): readonly Refresh[] => {
    if (word(sql, token) !== 'refresh' || word(sql, tokens[at + 1]) !== 'materialized' || word(sql, tokens[at + 2]) !== 'view') return [];
    const concurrently = word(sql, tokens[at + 3]) === 'concurrently';
    const first = at + (concurrently ? 4 : 3);
    const [name, dot, second] = [tokens[first], tokens[first + 1], tokens[first + 2]];
    if (!isName(name)) return [];
    const qualified = dot !== undefined && sql.slice(dot.start, dot.end) === '.' && isName(second);
    const target = qualified ? { schema: identifierText(sql, name), name: identifierText(sql, second) } : { name: identifierText(sql, name) };
    return [{ target, concurrently, text: sliceText(body, token.start, (qualified ? second : name).end) }];
  });
}
