import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { APIService } from '@orrery/api';
import { allGroupVersions, groupVersions } from '@orrery/api';
import { systemContext } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';
import { servedApis } from '../removed-apis/served-apis.js';
import type { ApiServices } from './api-services.js';

const LABEL = 'kube-aggregator.kubernetes.io/automanaged';
const LOOK_MS = 500;

/** k8s pkg/controlplane/apiserver/aggregator.go: priorities of groups; all others come after these, in their own order. */
const GROUP_PRIORITY: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
};
const CUSTOM_GROUP = 1000;
const CUSTOM_VERSION = 100;

/** What the first of the versions that upstream has removed counts. */
const REMOVED_VERSION = 9;

/** Of the versions of a group the first counts most, and those that upstream has removed least. */
function versionPriority(group: string, index: number): number {
  const current = groupVersions.find((one) => one.group === group)?.versions.length ?? 0;
  return index < current ? 15 + (current - 1 - index) * 5 : REMOVED_VERSION - (index - current);
}

function localService(
  group: string,
  version: string,
  priorities: { readonly group: number; readonly version: number },
  managed: 'onstart' | 'true',
): APIService {
  return {
    metadata: { name: `${version}.${group}`, labels: { [LABEL]: managed } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: priorities.group,
      versionPriority: priorities.version,
    },
  };
}

/** An APIService for every group version of this server, and for those of custom resources as they come and go. */
export class LocalApiServices {
  constructor(
    private readonly services: ServerServices,
    private readonly apis: ApiServices,
  ) {}

  /** The names of those of the built-in groups that are not there yet. */
  missing(): string[] {
    const names = new Set([...this.apis.all()].map(({ metadata }) => metadata.name));
    return this.builtIn()
      .map(({ metadata }) => metadata.name ?? '')
      .filter((name) => !names.has(name));
  }

  private builtIn(): APIService[] {
    const { groups } = servedApis(this.services.options);
    return groups
      .filter(({ group }) => group !== 'apiregistration.k8s.io')
      .flatMap(({ group, versions }) => {
        const place = allGroupVersions.findIndex((one) => one.group === group);
        return versions.map((version, i) => {
          const priority = GROUP_PRIORITY[group] ?? 16_000 - place;
          const priorities = { group: priority, version: versionPriority(group, i) };
          return localService(group, version, priorities, 'onstart');
        });
      });
  }

  /** Those of the built-in groups that are not there yet come; those that are served no more go. */
  async register(): Promise<void> {
    const wanted = this.builtIn();
    const known = new Map([...this.apis.all()].map((one) => [one.metadata.name ?? '', one]));
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const stale = [...known].filter(
      ([name, { metadata }]) => metadata.labels?.[LABEL] === 'onstart' && !names.has(name),
    );
    await Promise.all([
      ...wanted
        .filter(({ metadata }) => !known.has(metadata.name ?? ''))
        .map((one) => this.create(one)),
      ...stale.map(([name]) => this.remove(name)),
    ]);
  }

  /** Follows the custom resources until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.services;
    while (!signal.aborted) {
      await this.followCustom().catch((error: unknown) => {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn('local API services cannot be kept', { reason });
      });
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  private async followCustom(): Promise<void> {
    const builtIn = new Set(allGroupVersions.map(({ group }) => group));
    const wanted = new Map<string, APIService>();
    const seen = new Map<string, number>();
    for (const { group, version } of this.services.kinds()) {
      const name = `${version}.${group}`;
      if (builtIn.has(group) || wanted.has(name)) continue;
      const place = seen.get(group) ?? 0;
      seen.set(group, place + 1);
      const priorities = { group: CUSTOM_GROUP, version: Math.max(1, CUSTOM_VERSION - place) };
      wanted.set(name, localService(group, version, priorities, 'true'));
    }
    const known = new Map([...this.apis.all()].map((one) => [one.metadata.name ?? '', one]));
    for (const [name, service] of wanted) if (!known.has(name)) await this.create(service);
    for (const [name, service] of known)
      if (service.metadata.labels?.[LABEL] === 'true' && !wanted.has(name)) await this.remove(name);
  }

  private get store(): ReturnType<ServerServices['store']> {
    return this.services.store('apiregistration.k8s.io', 'v1', 'apiservices');
  }

  private async create(service: APIService): Promise<void> {
    const { store } = this;
    try {
      await store.create(service, ownWrite(this.services, store.kind));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  private async remove(name: string): Promise<void> {
    const { clock, signal } = this.services;
    try {
      await this.store.delete({ name, options: {}, context: systemContext(clock, signal) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
