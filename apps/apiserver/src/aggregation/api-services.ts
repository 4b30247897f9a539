import type { APIService, APIServiceReference, APIServiceSpec } from '@orrery/api';
import type { LiveReader } from '../live-view/live-view.js';

/** A group version that another server serves. */
export interface RemoteApi {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly spec: APIServiceSpec;
  readonly service: Required<APIServiceReference>;
  readonly isAvailable: boolean;
}

export const isAvailable = ({ status }: APIService): boolean =>
  (status?.conditions ?? []).some(({ type, status: is }) => type === 'Available' && is === 'True');

function toRemote(service: APIService): RemoteApi | undefined {
  const { spec, metadata } = service;
  if (!spec?.service) return undefined;
  const { name = '', namespace = '', port = 443 } = spec.service;
  return {
    name: metadata.name ?? '',
    group: spec.group ?? '',
    version: spec.version ?? '',
    spec,
    service: { name, namespace, port },
    isAvailable: isAvailable(service),
  };
}

/** Which group versions are served by others, by the APIServices of the cluster. */
export class ApiServices {
  #madeAt = -1;
  #made: readonly RemoteApi[] = [];

  constructor(private readonly view: Pick<LiveReader<APIService>, 'values' | 'version'>) {}

  /** Changes with every change of an APIService. */
  get version(): number {
    return this.view.version;
  }

  all(): IterableIterator<APIService> {
    return this.view.values();
  }

  /** By group priority, then version priority. */
  remote(): readonly RemoteApi[] {
    if (this.#madeAt === this.view.version) return this.#made;
    this.#madeAt = this.view.version;
    this.#made = [...this.view.values()]
      .flatMap((one) => toRemote(one) ?? [])
      .sort(
        (a, b) =>
          b.spec.groupPriorityMinimum - a.spec.groupPriorityMinimum ||
          a.group.localeCompare(b.group) ||
          b.spec.versionPriority - a.spec.versionPriority,
      );
    return this.#made;
  }

  find(group: string, version: string): RemoteApi | undefined {
    return this.remote().find((one) => one.group === group && one.version === version);
  }
}
