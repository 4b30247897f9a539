// npm run bench [NAME …]: runs benchmarks of this folder, one after the other; without a name lists them.
import { readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const known = readdirSync(folder)
  .filter(
    (file) => file.endsWith('.mjs') && !['run.mjs', 'table.mjs', 'loop-delay.mjs'].includes(file),
  )
  .map((file) => file.slice(0, -'.mjs'.length));

/** What begins with a dash is for the benchmarks: `npm run bench -- api --rounds=7`. */
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
if (names.length === 0) process.stdout.write(`benchmarks: ${known.join(', ')}\n`);
for (const name of names) {
  if (!known.includes(name)) {
    process.stderr.write(`bench: no benchmark ${name}; one of ${known.join(', ')}\n`);
    process.exit(2);
  }
  const { status } = spawnSync(process.execPath, [join(folder, `${name}.mjs`), ...options], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
