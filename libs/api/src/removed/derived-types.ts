import type { Schema } from '@orrery/apimachinery';
import { AUTOSCALING_V2BETA1 } from './autoscaling-v2beta1.fields.js';
import type { Json } from './json.js';
import { fieldsOf, without } from './json.js';

/** A protobufjs namespace in its JSON form. */
export interface ProtobufNode {
  edition?: string;
  fields?: Record<string, Json>;
  nested?: Record<string, ProtobufNode>;
}

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const QUANTITY = 'k8s.io.apimachinery.pkg.api.resource.Quantity';

/** Where types live that are not autoscaling's own. */
const SHARED: Readonly<Record<string, string>> = {
  Quantity: QUANTITY,
  LabelSelector: `${META}.LabelSelector`,
  ListMeta: `${META}.ListMeta`,
  ObjectMeta: `${META}.ObjectMeta`,
  Time: `${META}.Time`,
};
const SCALARS: Readonly<Record<string, Json>> = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
};

interface Field {
  readonly name: string;
  readonly id: number;
  readonly type: string;
  readonly isList: boolean;
  readonly isRequired: boolean;
}

const fieldsIn = (table: Readonly<Record<string, string>>): Field[] =>
  Object.entries(table).map(([name, text]) => {
    const [, id = '', type = '', list = '', required = ''] =
      /^(\d+) (\w+)(\[\])?(!)?$/.exec(text) ?? [];
    return {
      name,
      id: Number(id),
      type,
      isList: list !== '',
      isRequired: required !== '',
    };
  });

const BETA1 = 'io.k8s.api.autoscaling.v2beta1';

/** `k8s.io.apimachinery…` is `io.k8s.apimachinery…` in OpenAPI. */
const definitionName = (type: string): string =>
  SHARED[type]?.replace(/^k8s\.io\./, 'io.k8s.') ?? `${BETA1}.${type}`;

function schemaOf({ type, isList }: Field): Json {
  const one = SCALARS[type] ?? { $ref: `#/definitions/${definitionName(type)}` };
  return isList ? { type: 'array', items: one, 'x-kubernetes-list-type': 'atomic' } : one;
}

const isTopLevel = (kind: string): boolean => /^HorizontalPodAutoscaler(List)?$/.test(kind);

function definitionOf(kind: string, table: Readonly<Record<string, string>>): Json {
  const fields = fieldsIn(table);
  const required = fields.filter((one) => one.isRequired).map(({ name }) => name);
  const typeMeta = isTopLevel(kind)
    ? { apiVersion: SCALARS['string'], kind: SCALARS['string'] }
    : {};
  const properties = Object.fromEntries(fields.map((one) => [one.name, schemaOf(one)]));
  return {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: { ...typeMeta, ...properties },
    ...(isTopLevel(kind)
      ? {
          'x-kubernetes-group-version-kind': [{ group: 'autoscaling', kind, version: 'v2beta1' }],
        }
      : {}),
  };
}

const messageOf = (table: Readonly<Record<string, string>>): ProtobufNode => ({
  edition: 'proto2',
  fields: Object.fromEntries(
    fieldsIn(table).map(({ name, id, type, isList }) => [
      name,
      {
        ...(isList ? { rule: 'repeated' } : {}),
        type: SHARED[type] === undefined ? type : `.${SHARED[type]}`,
        id,
      },
    ]),
  ),
});

/** The definitions of a version whose types are those of another one, under its own name. */
function copied(
  definitions: Readonly<Record<string, Schema>>,
  from: string,
  to: string,
): Record<string, Schema> {
  const version = to.split('.').at(-1) ?? '';
  const rename = (text: string): string => text.replaceAll(`${from}.`, `${to}.`);
  return Object.fromEntries(
    Object.entries(definitions)
      .filter(([name]) => name.startsWith(`${from}.`))
      .map(([name, schema]) => {
        const copy = JSON.parse(rename(JSON.stringify(schema))) as Json;
        const types = copy['x-kubernetes-group-version-kind'];
        if (Array.isArray(types))
          copy['x-kubernetes-group-version-kind'] = types.map((one: Json) => ({ ...one, version }));
        return [rename(name), copy as Schema];
      }),
  );
}

const V2 = 'io.k8s.api.autoscaling.v2';
const BETA2 = 'io.k8s.api.autoscaling.v2beta2';
const AGGREGATOR = 'io.k8s.kube-aggregator.pkg.apis.apiregistration';

/** v2 knows a tolerance that v2beta2 does not. */
function withoutTolerance(definitions: Record<string, Schema>): Record<string, Schema> {
  const name = `${BETA2}.HPAScalingRules`;
  const rules = definitions[name] as Json | undefined;
  if (!rules) return definitions;
  const properties = without(fieldsOf(rules['properties']), 'tolerance');
  return { ...definitions, [name]: { ...rules, properties } as Schema };
}

/** OpenAPI definitions of removed versions that the generated ones leave out. */
export const derivedDefinitions = (
  current: Readonly<Record<string, Schema>>,
): Record<string, Schema> => ({
  ...(Object.fromEntries(
    Object.entries(AUTOSCALING_V2BETA1).map(([kind, table]) => [
      `${BETA1}.${kind}`,
      definitionOf(kind, table),
    ]),
  ) as Record<string, Schema>),
  ...withoutTolerance(copied(current, V2, BETA2)),
  ...copied(current, `${AGGREGATOR}.v1`, `${AGGREGATOR}.v1beta1`),
});

/** Adds the messages of a namespace to those of another, which it changes. */
export function mergeMessages(target: ProtobufNode, added: ProtobufNode): void {
  const nested = (target.nested ??= {});
  for (const [name, node] of Object.entries(added.nested ?? {})) {
    const known = nested[name];
    if (known && !node.fields) mergeMessages(known, node);
    else nested[name] ??= node;
  }
}

const at = (root: ProtobufNode, ...path: readonly string[]): ProtobufNode =>
  path.reduce<ProtobufNode>((node, name) => node.nested?.[name] ?? {}, root);

/** Adds the messages of removed versions that the generated ones leave out. */
export function addDerivedMessages(root: ProtobufNode): void {
  const io = at(root, 'k8s', 'io');
  const autoscaling = at(io, 'api', 'autoscaling');
  const second = structuredClone(at(autoscaling, 'v2'));
  const rules = at(second, 'HPAScalingRules');
  if (rules.fields) delete rules.fields['tolerance'];
  const first: ProtobufNode = {
    nested: Object.fromEntries(
      Object.entries(AUTOSCALING_V2BETA1).map(([kind, table]) => [kind, messageOf(table)]),
    ),
  };
  Object.assign((autoscaling.nested ??= {}), { v2beta2: second, v2beta1: first });
  const aggregator = at(io, 'kube_aggregator', 'pkg', 'apis', 'apiregistration');
  Object.assign((aggregator.nested ??= {}), { v1beta1: structuredClone(at(aggregator, 'v1')) });
}
