import type { FlowSchema } from '@orrery/api';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { ResourceStore } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import { setCondition } from './system-objects.js';

const GROUP = 'flowcontrol.apiserver.k8s.io';
const MANAGER = 'api-priority-and-fairness-config-consumer-v1';
const RETRY_MS = 1000;

const storeOf = (services: ServerServices, plural: string): ResourceStore =>
  services.store(GROUP, 'v1', plural);

async function isThere(levels: ResourceStore, name: string): Promise<boolean> {
  try {
    await levels.get(undefined, name);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Writes into the status of a schema whether its priority level is there (k8s apiserver pkg/util/flowcontrol/apf_controller.go:presyncFlowSchemaStatus). */
export async function tellOfLevel(
  services: ServerServices,
  { metadata, spec, status }: FlowSchema,
): Promise<void> {
  const level = spec.priorityLevelConfiguration.name;
  const found = await isThere(storeOf(services, 'prioritylevelconfigurations'), level);
  const reference = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  const condition = {
    type: 'Dangling',
    status: found ? ('False' as const) : ('True' as const),
    reason: found ? 'Found' : 'NotFound',
    message: found ? `${reference} and it exists` : `${reference} but there is no such object`,
  };
  const told = status?.conditions?.find(({ type }) => type === condition.type);
  if (told?.status === condition.status && told.message === condition.message) return;
  const { name = '' } = metadata;
  await setCondition(services, storeOf(services, 'flowschemas'), name, {
    ...condition,
    manager: MANAGER,
  });
}

/** Tells of one schema; what was changed or removed meanwhile is for the next event. */
async function tell(services: ServerServices, schema: FlowSchema): Promise<void> {
  await tellOfLevel(services, schema).catch((error: unknown) => {
    if (isNotFound(error) || isConflict(error) || services.signal.aborted) return;
    services.logger.warn('cannot tell of the priority level of a flow schema', {
      err: String(error),
    });
  });
}

/** Tells of all schemas that name the level. */
async function tellAll(services: ServerServices, level: string): Promise<void> {
  const { items } = await storeOf(services, 'flowschemas').list({
    resourceVersion: '',
    resourceVersionMatch: '',
    limit: 0,
    continueToken: '',
  });
  for (const { object } of items) {
    const schema = object as FlowSchema;
    if (schema.spec.priorityLevelConfiguration.name === level) await tell(services, schema);
  }
}

type Changed = (object: FlowSchema, type: string) => Promise<void>;

async function watched(services: ServerServices, plural: string, changed: Changed): Promise<void> {
  const { signal } = services;
  const request = { resourceVersion: '', resourceVersionMatch: '', allowBookmarks: false, signal };
  for await (const batch of storeOf(services, plural).watch(request))
    for (const event of batch)
      if (event.type !== 'BOOKMARK')
        await changed(event.representation.object as FlowSchema, event.type);
}

/** Watches until the server stops. */
async function follow(services: ServerServices, plural: string, changed: Changed): Promise<void> {
  const { signal, logger, clock } = services;
  while (!signal.aborted) {
    await watched(services, plural, changed).catch((error: unknown) => {
      if (!signal.aborted) logger.warn(`watch of ${plural} ended`, { err: String(error) });
    });
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

/** Keeps the conditions of all flow schemas until the server stops. */
export async function followFlowSchemas(services: ServerServices): Promise<void> {
  await Promise.all([
    follow(services, 'flowschemas', async (schema, type) => {
      if (type !== 'DELETED') await tell(services, schema);
    }),
    follow(services, 'prioritylevelconfigurations', async ({ metadata: { name = '' } }, type) => {
      if (type !== 'MODIFIED') await tellAll(services, name);
    }),
  ]);
}
