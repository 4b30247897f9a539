import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import type { AuditEvent } from './audit-event.js';
import { AuditedRequest } from './audited-request.js';
import type { AuditableRequest } from './audited-request.js';

const largeMap = (fields: number): Buffer => {
  const data = Object.fromEntries(Array.from({ length: fields }, (_, i) => [`k${i}`, 'v']));
  return Buffer.from(JSON.stringify({ kind: 'ConfigMap', metadata: { name: 'a' }, data }));
};

function follow(body: Buffer): { audited: AuditedRequest; events: AuditEvent[] } {
  const events: AuditEvent[] = [];
  const request = {
    info: { verb: 'create', isResource: true, resource: 'configmaps', version: 'v1' },
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    raw: { url: '/' },
    context: { receivedAt: 0, auditId: '1' },
  } as unknown as AuditableRequest;
  const config = { level: 'RequestResponse', omitStages: [], omitManagedFields: false } as const;
  const backend = { write: (event: AuditEvent) => void events.push(event) };
  const audited = new AuditedRequest(request, config, {}, { backend, clock: new SystemClock() });
  return { audited, events };
}

describe('AuditedRequest', () => {
  it('writes of small bodies at once', () => {
    const body = largeMap(1);
    const { audited, events } = follow(body);
    expect(audited.complete({ code: 201, bytes: body })).toBeUndefined();
    expect(events).toHaveLength(1);
  });

  it('decodes and writes large ones in turns', async () => {
    const body = largeMap(20_000);
    const { audited, events } = follow(body);
    const seen: number[] = [];
    let isOver = false;
    const look = (): void => {
      seen.push(events.length);
      if (!isOver) setImmediate(look);
    };
    look();
    await audited.complete({ code: 201, bytes: body });
    isOver = true;
    // Others had several turns before it was written.
    expect(seen.filter((count) => count === 0).length).toBeGreaterThan(4);
    const object = JSON.parse(body.toString()) as unknown;
    expect(events).toEqual([
      expect.objectContaining({ requestObject: object, responseObject: object }),
    ]);
  });
});
