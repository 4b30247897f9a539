import { describe, expect, it } from '@jest/globals';
import { dropManagedFields } from './informer-factory.js';

describe('dropManagedFields()', () => {
  it('takes them away and keeps the rest, the object itself too', () => {
    const object = {
      metadata: { name: 'a', managedFields: [{ manager: 'm' }], labels: { a: 'b' } },
      spec: {},
    };
    expect(dropManagedFields(object)).toBe(object);
    expect(Object.keys(object.metadata)).toEqual(['name', 'labels']);
  });

  it('leaves alone what has none', () => {
    const metadata = { name: 'a' };
    expect(dropManagedFields({ metadata }).metadata).toBe(metadata);
  });
});
