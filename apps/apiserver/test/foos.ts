import { eventually } from '@orrery/testkit';
import type { Json, Replica } from './replica.js';

/** Defines the namespaced kind Foo of `group` in one version, v1, and waits until it is served; `rest`: more of the version. Gives the path of its collection. */
export async function defineFoos(
  api: Replica,
  group: string,
  schema: Json,
  rest: Json = {},
): Promise<string> {
  const collection = `/apis/${group}/v1/namespaces/default/foos`;
  await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: `foos.${group}` },
    spec: {
      group,
      names: { plural: 'foos', kind: 'Foo' },
      scope: 'Namespaced',
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...rest },
      ],
    },
  });
  await eventually(async () => {
    const { status } = await api.ask(collection);
    if (status !== 200) throw new Error(`the definition is not served yet: ${status}`);
  });
  return collection;
}
