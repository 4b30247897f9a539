// Writes docs/not-modelled.md from the "Not modelled" sections of the READMEs below apps/; with --check only compares.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { format } from 'prettier';
import { fail, root } from './checkout.mjs';

const target = join(root, 'docs', 'not-modelled.md');

function readmes(dir, found = []) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    if (entry.isDirectory()) readmes(join(dir, entry.name), found);
    else if (entry.name === 'README.md') found.push(join(dir, entry.name));
  }
  return found.sort((a, b) => dirname(a).localeCompare(dirname(b)));
}

/** The lines below the heading "Not modelled", up to the next heading. */
function section(text) {
  const [, rest] = text.split(/^#+ Not modelled\n/m);
  return rest?.split(/^#/m)[0].trim() ?? '';
}

const titleOf = (text) => /^# (.+)$/m.exec(text)?.[1] ?? '';

const saysNothing = (text) => text === '' || /^-?\s*(nothing|none)\b[^\n]*$/i.test(text);

async function render() {
  const parts = readmes(join(root, 'apps')).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const list = section(text);
    if (saysNothing(list)) return [];
    const folder = relative(root, dirname(file));
    return [`## [${titleOf(text)}](../${folder}/README.md)\n\n${list}\n`];
  });
  const text = [
    '# Not modelled',
    'What each component leaves out of what upstream does, in its own words: collected from the READMEs by `npm run not-modelled`.',
    ...parts,
  ].join('\n\n');
  return format(text, { parser: 'markdown', singleQuote: true, printWidth: 100 });
}

const wanted = await render();
if (!process.argv.includes('--check')) writeFileSync(target, wanted);
else if (!existsSync(target) || readFileSync(target, 'utf8') !== wanted)
  fail('docs/not-modelled.md is older than a README; run npm run not-modelled');
