import {
  AUTO_UPDATE_ANNOTATION,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from '@orrery/api';
import type { FlowSchema } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { cloneJson, equalJson } from '@orrery/registry';
import type { ResourceStore } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';
import { tellOfLevel } from './flow-schema-conditions.js';
import { ensure } from './system-objects.js';

/** Who owns their specs (k8s pkg/registry/flowcontrol/rest:bootstrapPolicy); their conditions are applied by the consumer of them. */
const MANAGER = 'api-priority-and-fairness-config-producer-v1';

interface WithSpec extends KubeObject {
  spec?: unknown;
}

/** Whether the server keeps an object at its own values: said by the annotation, else by nobody having changed it. */
function isKept({ metadata }: KubeObject): boolean {
  const said = metadata.annotations?.[AUTO_UPDATE_ANNOTATION];
  return said === undefined ? metadata.generation === 1 : said === 'true';
}

async function keep(
  services: ServerServices,
  store: ResourceStore,
  want: WithSpec,
  isMandatory: boolean,
): Promise<void> {
  await ensure(store, services, want, MANAGER);
  const name = want.metadata.name ?? '';
  // Not from memory, which need not show yet what was just made.
  const { object } = await store.get(undefined, name);
  const current = object as WithSpec;
  // Of a mandatory level the shares are the operator's once the annotation says so.
  if (equalJson(current.spec, want.spec) || !(isKept(current) || isMandatory)) return;
  if (!isKept(current) && want.kind === 'PriorityLevelConfiguration') return;
  await store.update((found) => ({ ...cloneJson(found ?? want), spec: want.spec }) as KubeObject, {
    ...ownWrite(services, store.kind, { manager: MANAGER }),
    name,
  });
}

/**
 * The objects of priority and fairness that every cluster has: mandatory ones as they must be, suggested ones unless
 * an operator has taken them over (k8s pkg/registry/flowcontrol/ensurer).
 */
export async function ensureFlowControl(services: ServerServices): Promise<void> {
  const group = 'flowcontrol.apiserver.k8s.io';
  const levels = services.store(group, 'v1', 'prioritylevelconfigurations');
  const schemas = services.store(group, 'v1', 'flowschemas');
  await Promise.all([
    ...suggestedPriorityLevels().map((level) => keep(services, levels, level, false)),
    ...mandatoryPriorityLevels().map((level) => keep(services, levels, level, true)),
  ]);
  const keepSchema = async (schema: FlowSchema, isMandatory: boolean): Promise<void> => {
    await keep(services, schemas, schema, isMandatory);
    await tellOfLevel(services, schema);
  };
  await Promise.all([
    ...suggestedFlowSchemas().map((schema) => keepSchema(schema, false)),
    ...mandatoryFlowSchemas().map((schema) => keepSchema(schema, true)),
  ]);
}
