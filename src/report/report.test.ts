import { describe, expect, test } from 'vitest';
import { shapeError, type Schema } from '../hosts/shape.ts';
import type { Finding, Meta, Report, Span } from '../model.ts';
import { formats, render, type Format } from './formats.ts';
import { frame, printable } from './frame.ts';
import { lineStarts, positions } from './positions.ts';
import { reaches, summarize, type Rendering } from './rendering.ts';
import schema from './report.schema.json' with { type: 'json' };

const path = 'db/V2, 100%:sales 🐘.sql';
const emoji = '-- 🐘 élan\r\nDROP MATERIALIZED VIEW "🐘🐘"; REFRESH MATERIALIZED VIEW b;\r\nSELECT\r\n\t1,\r\n\t2,\r\n\t3\r\nFROM x;\r\n';
const texts: Readonly<Record<string, string>> = { [path]: emoji, 'db/V1.sql': 'CREATE MATERIALIZED VIEW b AS SELECT 1 AS "col\u001b[31m";' };
const span = (text: string, of = path): Span => {
  const start = texts[of]?.indexOf(text) ?? -1;
  if (start < 0) throw new Error(`no ${text}`);
  return { path: of, start, end: start + text.length };
};
const meta: Meta = {
  id: 'no-recreate-in-place', severity: 'error', postgres: { from: 14 }, summary: 'Disallow <that>.', why: 'Because.', fix: 'Do not.', references: ['https://example.org/a'],
};
const lesser: Finding = {
  history: 'db', rule: 'no-lost-index', severity: 'warning', message: 'Index "i" is lost.', span: span('DROP'), relation: 'b', evidence: [{ span: span('DROP'), says: 'Index "i" is lost.' }],
  fixes: [], also: [], fingerprint: 'b'.repeat(64),
};
const finding: Finding = {
  history: 'db', rule: meta.id, severity: 'error', message: 'b | is <gone>, 100% & `more`.', span: span('REFRESH MATERIALIZED VIEW b'), relation: 'b',
  evidence: [{ span: span('CREATE', 'db/V1.sql'), says: 'made here' }, { span: span('REFRESH'), says: 'refreshed\nhere' }],
  fixes: [{ title: 'Build it beside', files: [{ path: 'db/V3.sql', text: 'x' }] }, { title: 'Edit', edits: [{ span: span('DROP'), text: 'y' }] }],
  also: [lesser], verdict: { kind: 'confirmed', says: 'it waited', numbers: { rowsRewritten: 10_000 } }, fingerprint: 'a'.repeat(64),
};
const report: Report = {
  postgres: 18, histories: [{ id: 'db', tool: 'flyway', root: 'db', world: 'closed', migrations: 2, statements: 4 }],
  findings: [finding, { ...lesser, severity: 'note', span: span('SELECT\r\n\t1,\r\n\t2,\r\n\t3\r\nFROM x'), fingerprint: 'c'.repeat(64), rule: 'require-x', evidence: [] }],
  gaps: [{ history: 'db', span: span('élan'), because: 'dynamic text' }],
  crashes: [{ rule: 'no-x', path: 'db/V1.sql', because: 'TypeError: y' }], suppressed: 1, hidden: 2,
};
const clean: Report = { ...report, findings: [], gaps: [], crashes: [], suppressed: 0, hidden: 0 };
const rendering: Rendering = {
  positions: positions(name => texts[name]), display: name => name, rules: [meta], version: '0.1.0', color: false, quiet: false, gaps: 'report',
};
const as = (format: Format, of = report, how: Partial<Rendering> = {}): Promise<string> => render(format, of, { ...rendering, ...how });

describe('positions', () => {
  test('lines end at LF, CRLF and CR', () => {
    expect(lineStarts('a\r\nb\nc\rd')).toEqual([0, 3, 5, 7]);
    expect(lineStarts('')).toEqual([0]);
  });
  test('columns count UTF-16 units, byte columns bytes', () => {
    const { start, end, line, byteColumn } = rendering.positions;
    const at = span('REFRESH MATERIALIZED VIEW b');
    expect(start(at)).toEqual({ line: 2, column: 32, offset: emoji.indexOf('REFRESH') });
    expect(end(at)).toMatchObject({ line: 2, column: 59 });
    expect(byteColumn(path, start(at))).toBe(36);
    expect(line(path, 2)).toBe('DROP MATERIALIZED VIEW "🐘🐘"; REFRESH MATERIALIZED VIEW b;');
    expect(line(path, 99)).toBeUndefined();
  });
  test('the end of the text is on the last line, and an unread source does not fail', () => {
    expect(rendering.positions.end({ path, start: 0, end: emoji.length })).toMatchObject({ line: 8, column: 1 });
    expect(rendering.positions.start({ path: 'gone.sql', start: 5, end: 6 })).toEqual({ line: 1, column: 6, offset: 5 });
  });
});

describe('frame', () => {
  test('the mark stands under the text, wide letters and tabs included', () => {
    expect(frame('\tDROP x', 2, 6)).toEqual({ source: '    DROP x', mark: '    ^^^^' });
    expect(frame('"🐘" b', 6, 7)).toEqual({ source: '"🐘" b', mark: '     ^' });
    expect(frame('"🐘" b', 2, 4).mark).toBe(' ^^');
    expect(frame('', 1, 1).mark).toBe('^');
  });
  test('of a long line the part around the mark is shown', () => {
    const framed = frame(`${'x'.repeat(500)}DROP${'y'.repeat(500)}`, 501, 505);
    expect(framed.source.length).toBeLessThan(130);
    expect(framed.source.slice(framed.mark.indexOf('^'), framed.mark.length)).toBe('DROP');
  });
  test('nothing steers the terminal', () => {
    expect(printable('a\u001b[31mb\u202e')).toBe('a␛[31mb\ufffd');
  });
});

test('text shows frames, the path from cause to effect, lesser findings, verdicts, gaps and the sum', async () => {
  expect(await as('text')).toMatchInlineSnapshot(`
    "error[no-recreate-in-place]: b | is <gone>, 100% & \`more\`.
     --> db/V2, 100%:sales 🐘.sql:2:32
      |
    2 | DROP MATERIALIZED VIEW "🐘🐘"; REFRESH MATERIALIZED VIEW b;
      |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      1. db/V1.sql:1:1                  made here
      2. db/V2, 100%:sales 🐘.sql:2:32  refreshed␊here
      = also warning[no-lost-index]: Index "i" is lost. (db/V2, 100%:sales 🐘.sql:2:1)
      = confirmed: it waited (rows rewritten 10,000)
      = fix: Build it beside
      = fix: Edit

    note[require-x]: Index "i" is lost.
     --> db/V2, 100%:sales 🐘.sql:3:1
      |
    3 | SELECT
      | ^^^^^^
      ⋮ 4 more lines

    not seen: 1 gap
      --> db/V2, 100%:sales 🐘.sql:1:7  dynamic text

    crash[no-x]: TypeError: y
      --> db/V1.sql

    1 error, 1 note in 2 migrations (4 statements); 1 confirmed, 1 gap, 1 suppressed, 2 no longer true (--all-history shows them), 1 crash.
    "
  `);
  expect(await as('text', clean)).toBe('No findings in 2 migrations (4 statements).\n');
});

test('text: of a crowd of findings each rule shows its first ones whole, and a table has the sums', async () => {
  const [first] = report.findings;
  const many: Finding[] = Array.from({ length: 2_000 }, (_, at) => ({ ...first!, rule: at % 4 === 0 ? 'no-a' : 'no-b', severity: at % 4 === 0 ? 'error' : 'note' }));
  const shown = await as('text', { ...report, findings: many });
  expect(shown.split('\n').filter(line => /^(?:error|note)\[/.test(line))).toHaveLength(2_000);
  expect(shown.split('\n').filter(line => line.includes('^')).length).toBe(6);
  expect(shown).toMatch(/^ {4}500 {2}error\[no-a\]\n {2}1,500 {2}note\[no-b\]\nThe first 3 of each rule stand whole\./m);
  expect(await as('text', { ...report, findings: many.slice(0, 40) })).not.toContain('stand whole');
});

test('text: quiet drops all but errors, gaps=ignore drops the list, colours are asked for', async () => {
  const quiet = await as('text', report, { quiet: true });
  expect(quiet).not.toContain('require-x');
  expect(quiet).not.toContain('not seen');
  expect(await as('text', clean, { quiet: true })).toBe('');
  const silent = await as('text', report, { gaps: 'ignore' });
  expect(silent).not.toContain('dynamic text');
  expect(silent).toContain('1 gap');
  expect(await as('text', report, { color: true })).toContain('\u001b[31m');
  expect(await as('text')).not.toContain('\u001b');
});

test('json follows its schema and counts lines, columns and offsets', async () => {
  const parsed = JSON.parse(await as('json')) as { findings: { start: object; evidence: object[] }[]; summary: object };
  expect(shapeError(parsed, schema as Schema, schema.definitions as unknown as Record<string, Schema>)).toBeUndefined();
  expect(parsed.findings[0]).toMatchObject({
    path, start: { line: 2, column: 32 }, end: { line: 2, column: 59 }, also: [{ rule: 'no-lost-index' }], verdict: { numbers: { rowsRewritten: 10_000 } },
    fixes: [{ files: [{ path: 'db/V3.sql' }] }, { edits: [{ start: { line: 2, column: 1 }, text: 'y' }] }],
  });
  expect(parsed.summary).toEqual({ error: 1, warning: 0, note: 1, gaps: 1, suppressed: 1, history: 2 });
  expect(shapeError({ ...parsed, extra: 1 }, schema as Schema, schema.definitions as unknown as Record<string, Schema>)).toContain("'extra'");
  expect(parsed.findings[1]).not.toHaveProperty('verdict');
});

test('github escapes data and properties as the runner does', async () => {
  const lines = (await as('github')).trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe('::error file=db/V2%2C 100%25%3Asales 🐘.sql,line=2,col=32,endColumn=59,title=mvlint no-recreate-in-place::'
    + 'b | is <gone>, 100%25 & `more`.%0Aconfirmed: it waited (rows rewritten 10,000)%0Aalso no-lost-index: Index "i" is lost.');
  expect(lines[1]).toContain('::notice file=');
  expect(lines[1]).toContain('line=3,endLine=7,');
});

test('gcc is one line a place', async () => {
  const lines = (await as('gcc')).trimEnd().split('\n');
  expect(lines[0]).toBe(`${path}:2:32: error: b | is <gone>, 100% & \`more\`. [no-recreate-in-place]`);
  expect(lines[1]).toBe('db/V1.sql:1:1: note: made here');
  expect(lines[2]).toBe(`${path}:2:32: note: refreshed here`);
});

test('sarif declares UTF-16 columns, percent-encodes paths and carries evidence', async () => {
  const log = JSON.parse(await as('sarif'));
  const [run] = log.runs;
  expect(log.version).toBe('2.1.0');
  expect(run.columnKind).toBe('utf16CodeUnits');
  expect(run.results).toHaveLength(3);
  expect(run.results[0]).toMatchObject({
    ruleId: meta.id, ruleIndex: 0, level: 'error', partialFingerprints: { 'mvlint/v1': 'a'.repeat(64) },
    locations: [{ physicalLocation: { artifactLocation: { uri: 'db/V2%2C%20100%25%3Asales%20%F0%9F%90%98.sql' }, region: { startLine: 2, startColumn: 32, endLine: 2, endColumn: 59 } } }],
  });
  expect(run.results[0].relatedLocations).toHaveLength(2);
  expect(run.tool.driver.rules[0]).toMatchObject({ id: meta.id, help: { text: expect.stringContaining('Do not.') } });
  expect(run.invocations[0].executionSuccessful).toBe(false);
});

test('rdjson counts columns in UTF-8 bytes', async () => {
  const { diagnostics } = JSON.parse(await as('rdjson'));
  expect(diagnostics[0]).toMatchObject({ severity: 'ERROR', location: { path, range: { start: { line: 2, column: 36 } } } });
});

test('gitlab, junit and markdown escape what they print', async () => {
  const issues = JSON.parse(await as('gitlab'));
  expect(issues[0]).toMatchObject({ check_name: meta.id, severity: 'major', location: { lines: { begin: 2 } } });
  expect(new Set(issues.map((issue: { fingerprint: string }) => issue.fingerprint)).size).toBe(issues.length);
  const xml = await as('junit');
  expect(xml).toContain('message="b | is &lt;gone&gt;, 100% &amp; `more`."');
  expect(xml).not.toMatch(/[\u0000-\u0008]/);
  const table = await as('markdown');
  expect(table).toContain('b \\| is &lt;gone&gt;, 100% &amp; \\`more\\`.');
  expect(table.split('\n').filter(line => line.startsWith('| error'))).toHaveLength(1);
});

test.each(formats)('%s of an empty report is well-formed', async format => {
  const written = await as(format, { ...clean, histories: [] });
  if (['json', 'sarif', 'gitlab', 'rdjson'].includes(format)) expect(() => JSON.parse(written)).not.toThrow();
  else expect(written === '' || written.endsWith('\n')).toBe(true);
});

test('a headline counts once, as grave as the gravest finding under it', () => {
  const grave = { ...finding, severity: 'note' as const };
  expect(summarize({ ...report, findings: [grave] })).toMatchObject({ error: 0, warning: 1, note: 0 });
  expect(reaches({ ...report, findings: [grave] }, 'error', 'report')).toBe(false);
  expect(reaches({ ...report, findings: [grave] }, 'warning', 'report')).toBe(true);
  expect(reaches(report, 'never', 'error')).toBe(false);
  expect(reaches({ ...clean, gaps: report.gaps }, 'error', 'error')).toBe(true);
});
