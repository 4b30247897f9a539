import { expect, it } from '@jest/globals';
import { context, objectOf } from '../../../findings.fixture.js';
import { CSIDriverKind } from './csidriver.kind.js';

it('a CSIDriver gets no field whose gate is off, and keeps one that it has', () => {
  const { strategy } = CSIDriverKind;
  const gated = () => objectOf(CSIDriverKind, { spec: { preventPodSchedulingIfMissing: true } });
  const [created, added, kept] = [gated(), gated(), gated()];
  strategy.prepareForCreate?.(created, context);
  strategy.prepareForUpdate?.(added, objectOf(CSIDriverKind), context);
  strategy.prepareForUpdate?.(kept, gated(), context);
  const values = [created, added, kept].map(({ spec }) => spec.preventPodSchedulingIfMissing);
  expect(values).toEqual([undefined, undefined, true]);
});
