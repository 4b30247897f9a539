import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { testServer } from '../../packages/testing/src/test-server-process.js';

/** Notes that it was started, and answers each question with its number. */
const PROGRAM = `
const { appendFileSync } = require('node:fs');
const { createServer } = require('node:net');
appendFileSync(__filename + '.starts', 'x');
const path = process.argv[process.argv.indexOf('--socket') + 1];
createServer((socket) => {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    for (let end; (end = text.indexOf('\\n')) >= 0; text = text.slice(end + 1)) {
      const { id } = JSON.parse(text.slice(0, end));
      socket.write(JSON.stringify({ id, result: id }) + '\\n');
    }
  });
  socket.on('end', () => process.exit());
}).listen(path);
process.stdin.on('end', () => process.exit()).resume();
`;

describe('testServer()', () => {
  let folder: string;
  const before = process.env['ORRERY_BIN'];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'test-server-'));
    process.env['ORRERY_BIN'] = join(folder, 'program.cjs');
    writeFileSync(process.env['ORRERY_BIN'], PROGRAM);
  });
  afterEach(() => {
    if (before === undefined) delete process.env['ORRERY_BIN'];
    else process.env['ORRERY_BIN'] = before;
    rmSync(folder, { recursive: true });
    rmSync(join(tmpdir(), `orrery-${process.pid}.sock`), { force: true });
  });

  it('starts one server, however many clusters are asked for at once', async () => {
    const servers = await Promise.all([testServer(), testServer(), testServer()]);
    expect(new Set(servers).size).toBe(1);
    expect(readFileSync(join(folder, 'program.cjs.starts'), 'utf8')).toBe('x');
    expect(await Promise.all(servers.map((server) => server.ask('create')))).toEqual([1, 2, 3]);
  });
});
