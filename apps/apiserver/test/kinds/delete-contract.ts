import { expect, it } from '@jest/globals';
import { metadataOf, namesOf } from '../replica.js';
import type { Subject } from './subject.js';
import { causesOf, problemOf } from './subject.js';

function holds(subject: Subject): void {
  const { kind } = subject;

  it('checks preconditions, and keeps what is deleted on trial', async () => {
    const { json } = await subject.get('max');
    const uid = String(metadataOf({ json })['uid']);
    const wrong = await subject.remove('max', { preconditions: { uid: 'other' } });
    expect(wrong.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      details: { kind: kind.kind },
    });
    expect(wrong.json['message']).toContain(
      `the UID in the precondition (other) does not match the UID in record (${uid})`,
    );
    const old = await subject.remove('max', { preconditions: { resourceVersion: '1' } });
    expect(old.json['message']).toContain(
      'the ResourceVersion in the precondition (1) does not match',
    );
    expect((await subject.remove('max', { dryRun: ['All'] })).status).toBe(200);
    const all = await subject.api.ask(`${subject.collection}?dryRun=All`, { method: 'DELETE' });
    expect(all.status).toBe(kind.plural === 'namespaces' ? 405 : 200);
    expect((await subject.get('max')).json).toEqual(json);
  });

  it('waits for finalizers', async () => {
    await subject.patch('max', { metadata: { finalizers: ['example.com/hold'] } });
    const held = await subject.remove('max', { propagationPolicy: 'Background' });
    expect([held.status, metadataOf(held)['deletionTimestamp']]).toEqual([200, expect.any(String)]);
    // These two are marked by a DELETE of their own, which knows no grace period.
    const isOwn = ['namespaces', 'customresourcedefinitions'].includes(kind.plural);
    const grace = isOwn ? undefined : 0;
    expect(metadataOf(held)['deletionGracePeriodSeconds']).toBe(grace);
    const more = await subject.patch('max', {
      metadata: { finalizers: ['example.com/hold', 'a.b/c'] },
    });
    const added = {
      reason: 'FieldValueForbidden',
      message:
        'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
      field: 'metadata.finalizers',
    };
    // Seen with what all kinds have, and again with the kind (k8s apiserver pkg/registry/rest/update.go:BeforeUpdate).
    expect([more.status, causesOf(more)]).toEqual([422, [added, added]]);
    const freed = await subject.patch('max', { metadata: { finalizers: null } });
    expect([freed.status, problemOf(freed)]).toEqual([200, undefined]);
    // A Namespace waits for its spec.finalizers, too.
    expect((await subject.get('max')).status).toBe(kind.plural === 'namespaces' ? 200 : 404);
  });
}

/** Deleting. */
export function deleteContract(subject: Subject): void {
  const { kind, row, facts } = subject;
  holds(subject);

  if (!row.lingers) {
    it('answers a completed deletion as upstream', async () => {
      const uid = metadataOf(await subject.get('app'))['uid'];
      const { status, json } = await subject.remove('app', {
        preconditions: { uid },
        // What some kinds leave behind by default keeps them until it is let go.
        propagationPolicy: 'Background',
      });
      const details = {
        name: subject.nameOf('app'),
        ...(kind.group ? { group: kind.group } : {}),
        kind: kind.plural,
        uid,
      };
      const plain = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
      const object = expect.objectContaining({ kind: kind.kind }) as unknown;
      expect([status, json]).toEqual([200, facts.returnsDeleted ? object : plain]);
      const gone = await subject.remove('app');
      expect(gone.json).toMatchObject({
        code: 404,
        reason: 'NotFound',
        message: `${subject.resource} "${subject.nameOf('app')}" not found`,
      });
    });

    it('deletes the part of a collection that is selected', async () => {
      const made = await subject.create(subject.maximal('part'));
      expect([made.status, problemOf(made)]).toEqual([201, undefined]);
      const path = `${subject.collection}?labelSelector=suite%3Dcontract&propagationPolicy=Background`;
      const { json } = await subject.api.ask(path, { method: 'DELETE' });
      expect(json['kind']).toBe(`${kind.kind}List`);
      expect(namesOf({ json })).toEqual([subject.nameOf('part')]);
      expect((await subject.get('part')).status).toBe(404);
      expect((await subject.get('min')).status).toBe(200);
    });
  }
}
