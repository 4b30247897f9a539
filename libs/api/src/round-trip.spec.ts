import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProtobufCodec, decodeJson, decodeYaml, encodeYaml } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { protobufDescriptor, schemaRegistry } from './assets.js';
import { kinds } from './kinds.js';
import { objectsOf } from './objects-of.fixture.js';

const RUNS = 8;
const codec = new ProtobufCodec(protobufDescriptor(), schemaRegistry());

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe.each(
  kinds.map((kind) => ({ name: `${kind.group || 'core'}/${kind.version}/${kind.plural}`, kind })),
)('$name', ({ kind }) => {
  const objects = objectsOf(kind);
  const holds = (property: (object: KubeObject) => void): void => {
    fc.assert(fc.property(objects, property), { numRuns: RUNS, seed: 228 });
  };

  it('comes back from JSON and from YAML', () => {
    holds((object) => {
      expect(decodeJson(JSON.stringify(object)).value).toEqual(plain(object));
      expect(decodeYaml(encodeYaml(object)).value).toEqual(plain(object));
    });
  });

  it('comes back from protobuf once Go has seen it', () => {
    holds((object) => {
      const once = codec.decode(codec.encode(object)).object;
      expect(codec.decode(codec.encode(once)).object).toEqual(once);
      expect(once).toMatchObject(plain(object) as Record<string, unknown>);
    });
  });

  const conversion = kind.storageConversion;
  if (conversion) {
    it('comes back from the version it is stored in', () => {
      holds((object) => {
        const there = (served: KubeObject): KubeObject =>
          conversion.fromStorage(conversion.toStorage(structuredClone(served)));
        const once = there(object);
        expect(there(once)).toEqual(once);
      });
    });
  }
});
