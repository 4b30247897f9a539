import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Definition {
  readonly properties?: Readonly<Record<string, unknown>>;
}

const root = join(import.meta.dirname, '../../../..');
const tool = join(root, 'apps/apiserver/tools/descriptions.mjs');
const definitions = JSON.parse(
  readFileSync(join(root, 'libs/api/src/gen/schemas.json'), 'utf8'),
) as Record<string, Definition>;

/** What the build writes beside the programs. */
function written(): Record<string, Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'descriptions-'));
  try {
    execFileSync(process.execPath, [tool, folder]);
    const text = readFileSync(join(folder, 'descriptions.json'), 'utf8');
    return JSON.parse(text) as Record<string, Record<string, string>>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const INTERNAL = /\.meta\.v1\.|\.core\.v1\.(?:List|RangeAllocation|PodStatusResult)$/;

/** The types of which `kubectl explain` tells: those of objects, and whatever lies below. */
function explained(): Set<string> {
  const isObject = ([name, { properties = {} }]: [string, Definition]): boolean =>
    'metadata' in properties && 'kind' in properties && !INTERNAL.test(name);
  const queue = Object.entries(definitions)
    .filter(isObject)
    .map(([name]) => name);
  const found = new Set<string>();
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const definition = definitions[name];
    if (found.has(name) || !definition) continue;
    found.add(name);
    for (const [, next = ''] of JSON.stringify(definition).matchAll(/"[^"]*?(io\.k8s\.[^"]+)"/g))
      queue.push(next);
  }
  return found;
}

describe('descriptions of fields', () => {
  it('are there for whatever can be explained', () => {
    const descriptions = written();
    const missing = [...explained()].flatMap((name) =>
      Object.keys(definitions[name]?.properties ?? {})
        .filter((field) => !descriptions[name]?.[field])
        .map((field) => `${name}.${field}`),
    );
    expect(missing).toEqual([]);
    expect(descriptions['io.k8s.api.core.v1.Pod']?.['status']).toContain('last seen');
  });
});
