/** Writes the code cache of the bundled commands (`hosts/loading.ts`): what V8 compiles when they check the demo and a longer history. The build runs it. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeCache } from '../hosts/loading.ts';
import { makeHistory } from './history.ts';

const [, , script = ''] = process.argv;
const scratch = mkdtempSync(join(tmpdir(), 'mvlint-code-cache-'));
try {
  for (const [path, text] of makeHistory(40)) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), text);
  }
  const { path, data } = await makeCache(script, async commands => {
    for (const target of [join(import.meta.dirname, '../../fixtures/projects/demo'), scratch]) await commands.run([target]);
  });
  // A process that starts meanwhile sees all of it or none.
  writeFileSync(`${path}.new`, data);
  renameSync(`${path}.new`, path);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = 0;
