import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { NamespaceKind } from './namespace.kind.js';

const finalizers = (...names: string[]): object => ({ spec: { finalizers: names } });
const UNKNOWN = 'name is neither a standard finalizer name nor is it fully qualified';

describe('the finalizers of a namespace', () => {
  it('may be the standard ones', () => {
    expect(
      refusals(NamespaceKind, finalizers('kubernetes', 'orphan', 'foregroundDeletion')),
    ).toEqual([]);
  });

  it('are told by the list on create and one by one when they are finalized', () => {
    expect(refusals(NamespaceKind, finalizers('mine'))).toEqual([
      `spec.finalizers: Invalid value: "mine": ${UNKNOWN}`,
    ]);
    expect(
      updateRefusals(
        NamespaceKind,
        finalizers('kubernetes'),
        finalizers('kubernetes', 'mine'),
        'finalize',
      ),
    ).toEqual([`spec.finalizers[1]: Invalid value: "mine": ${UNKNOWN}`]);
  });
});
