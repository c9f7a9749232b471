/** Where the replay and Postgres are known to differ, and why it stands. Empty is the aim; `npm run generate` writes the page of it. */

/** `histories`: the names of random ones, or a part of the name of a fixture or project. `fact`: a part of the fact; absent for all of the history's. */
export interface KnownDifference {
  readonly histories: readonly string[];
  readonly fact?: string;
  readonly because: string;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    histories: ['no-lost-index/good-copied'], fact: 'index public.daily_sales_next_key',
    because: 'the index is made by EXECUTE of a text that only pg_indexes tells; the step is blind, and the rules are silent',
  },
  {
    histories: ['no-lost-privileges/good-copied'], fact: 'grant SELECT to reporting',
    because: 'what is granted, and to whom, only pg_class tells; the step is blind, and the rules are silent',
  },
  {
    histories: ['random/199', 'random/369', 'random/759', 'random/873', 'random/1407', 'random/1475', 'random/1901'],
    because: 'a condition asks for what the history does not show (a table of that name in any schema), and one of the two ways is refused. Migrations are written to run, so the '
      + 'replay goes on with the other way; this database holds nothing else, so the refused way is the one that is taken, and the whole statement is undone',
  },
  {
    histories: ['random/1627'],
    because: 'ALTER … IF EXISTS … RENAME of a view that the history does not show: the replay takes it that somebody has it under the new name, and a view that reads that name is made; '
      + 'this database has none',
  },
];

const concerns = (one: string, history: string): boolean => (one.startsWith('random/') ? one === history : history.includes(one));

/** The entry that a difference falls under. */
export function knownDifference({ history, fact }: { readonly history: string; readonly fact: string }): KnownDifference | undefined {
  return knownDifferences.find(one => one.histories.some(name => concerns(name, history)) && fact.includes(one.fact ?? ''));
}

/** The page of them, as Markdown. */
export function differencesPage(mark: string): string {
  return [
    `<!-- ${mark} -->`, '# The replayed catalog', '',
    'Statements in, a catalog after each of them out, without a database. `npm run agreement` runs the histories of all fixtures and projects and two thousand random ones on an embedded',
    'Postgres as well, and compares what stands in the two catalogs after every migration, fact by fact. These facts differ, and this is why:', '',
    ...knownDifferences.map(({ histories, fact, because }) => `- ${histories.map(name => `\`${name}\``).join(', ')}${fact === undefined ? '' : ` (${fact})`}: ${because}.`), '',
    'A history that is not named here and differs makes the command end with 1.', '',
  ].join('\n');
}
