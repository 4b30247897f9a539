import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock, silentLogger } from '@orrery/component';
import type { AuditEvent } from './audit-event.js';
import { LogBackend } from './log-backend.js';

const MB = 1024 * 1024;
const event = (auditID: string): AuditEvent => ({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  auditID,
  stage: 'ResponseComplete',
  requestURI: 'x'.repeat(0.7 * MB),
  verb: 'get',
  user: {},
  requestReceivedTimestamp: '',
  stageTimestamp: '',
});

describe(LogBackend.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-audit-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const log = (compress: boolean): LogBackend =>
    new LogBackend(
      { path: join(folder, 'audit.log'), maxAge: 0, maxBackup: 1, maxSize: 1, compress },
      new SystemClock(),
      silentLogger,
    );

  it.each([
    { compress: false, name: /^audit-[-T\d.]+\.log$/, read: (bytes: Buffer) => bytes },
    { compress: true, name: /^audit-[-T\d.]+\.log\.gz$/, read: gunzipSync },
  ])('keeps what was full: compressed $compress', async ({ compress, name, read }) => {
    for (const id of ['a', 'b']) {
      const backend = log(compress);
      backend.write(event(id));
      await backend.close();
    }
    const [old = '', current] = readdirSync(folder).sort();
    expect([old, current]).toEqual([expect.stringMatching(name), 'audit.log']);
    expect(JSON.parse(read(readFileSync(join(folder, old))).toString())).toMatchObject({
      auditID: 'a',
    });
  });

  it('replaces a file in the tick of its first write', async () => {
    const backend = log(false);
    backend.write(event('a'));
    backend.write(event('b'));
    await backend.close();
    const ids = readdirSync(folder).map((file) => {
      const { auditID } = JSON.parse(readFileSync(join(folder, file)).toString()) as AuditEvent;
      return auditID;
    });
    expect(ids.sort()).toEqual(['a', 'b']);
  });
});
