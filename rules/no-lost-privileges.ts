import { known, lostInReplacements, nameTakers, quote, quoteLiteral, regclass, rule } from '../src/rule.ts';
import type { Context, Lost, Matview, Name, Selectable } from '../src/rule.ts';

/** The rights that do something on a materialized view; the others can be granted and are never asked for (facts A, F). */
const rights = (postgres: number): readonly string[] => (postgres >= 17 ? ['SELECT', 'MAINTAIN'] : ['SELECT']);

const holds = (relation: Selectable, grantee: string, right: string): boolean =>
  known(relation.owner) === grantee || [grantee, 'public'].some(each => relation.grants.get(each)?.has(right) === true);

function lostOwner(old: Matview, now: Selectable): readonly Lost[] {
  const [was, is] = [known(old.owner), known(now.owner)];
  if (was === undefined || is === undefined || was === is) return [];
  return [{
    words: `its owner ${quote(was)}`,
    missing: (of: Name) => `(SELECT relowner <> to_regrole(${quoteLiteral(quote(was))}) FROM pg_class WHERE oid = ${regclass(of)})`,
  }];
}

function lostGrants(old: Matview, now: Selectable, context: Context): readonly Lost[] {
  // A grant that a branch may have given need never have been there.
  if (old.inDoubt?.includes('grant') === true) return [];
  return [...old.grants].flatMap(([grantee, privileges]) => {
    if (known(old.owner) === grantee) return [];
    return rights(context.postgres).filter(right => privileges.has(right) && !holds(now, grantee, right)).map(right => ({
      words: `${right} for ${grantee === 'public' ? 'PUBLIC' : quote(grantee)}`,
      missing: (of: Name) => `NOT has_table_privilege(${quoteLiteral(grantee)}, ${regclass(of)}, '${right}')`,
    }));
  });
}

/** Column grants count for columns that the new relation still has. */
function lostColumnGrants(old: Matview, now: Selectable): readonly Lost[] {
  const present = new Map(known(now.columns)?.map(column => [column.name, column]));
  return (known(old.columns) ?? []).flatMap(column => [...column.grants ?? []].flatMap(([grantee, privileges]) => {
    const there = present.get(column.name);
    if (!there || !privileges.has('SELECT') || holds(now, grantee, 'SELECT') || holds(old, grantee, 'SELECT')) return [];
    if (there.grants?.get(grantee)?.has('SELECT') || there.grants?.get('public')?.has('SELECT')) return [];
    return [{
      words: `SELECT (${quote(column.name)}) for ${grantee === 'public' ? 'PUBLIC' : quote(grantee)}`,
      missing: (of: Name) => `NOT has_column_privilege(${quoteLiteral(grantee)}, ${regclass(of)}, ${quoteLiteral(column.name)}, 'SELECT')`,
    }];
  }));
}

const lostRights = (old: Matview, now: Selectable, context: Context): readonly Lost[] =>
  [...lostOwner(old, now), ...lostGrants(old, now, context), ...lostColumnGrants(old, now)];

export default rule({
  id: 'no-lost-privileges',
  summary: 'Disallow replacing a materialized view without giving the new one the owner and the grants of the old one.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
Grants belong to the materialized view, not to its name. After \`DROP\` and \`CREATE\`, or after a rename swap, the object that
now has the name belongs to whoever ran the migration and nobody else may read it: the dashboard that had \`SELECT\` gets \`42501:
permission denied\`. A new owner also decides whose rights the query runs with at every refresh, and up to Postgres 16 who may
refresh at all.
`,
  fix: `
Give the new view the owner and every grant of the old one in the same migration, before the names change hands:

\`\`\`sql
ALTER MATERIALIZED VIEW daily_sales_next OWNER TO analytics;
GRANT SELECT ON daily_sales_next TO reporting;
GRANT SELECT (day, total) ON daily_sales_next TO partner;
\`\`\`

\`ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES TO reporting\` does it for every view that the same role
creates later.
`,
  exceptions: `
Nothing is said of a deploy whose code does what only its data tells: it may have made all of this itself.
Grants that \`GRANT … ON ALL TABLES IN SCHEMA\` or default privileges restore count. Privileges that mean nothing on a
materialized view (\`INSERT\`, \`UPDATE\` …) and grants on columns that the new view does not have are not missed. The owner is
compared only when the history shows both. Membership in other roles is not looked through.
`,
  references: [
    'https://www.postgresql.org/docs/current/ddl-priv.html',
    'https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html',
  ],
  deploysWith: nameTakers,
  check: {
    endOfDeploy: (end, context) => lostInReplacements(end, context, (old, now) => lostRights(old, now, context)),
  },
});
