import {
  allGroupVersions,
  groupVersions,
  kinds,
  removedKinds,
  removedRequestKinds,
  requestKinds,
} from '@orrery/api';
import type { KindDescriptor, RequestKind } from '@orrery/api';
import { toApiVersion } from '@orrery/apimachinery';
import { servedGroupVersions } from '../config/runtime-config.js';

export interface ServedGroup {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly string[];
}

/** The built-in APIs that a server serves, as its flags say. */
export interface ServedApis {
  readonly kinds: readonly KindDescriptor[];
  readonly requestKinds: readonly RequestKind[];
  readonly groups: readonly ServedGroup[];
}

const groupVersionOf = ({ group, version }: { group: string; version: string }): string =>
  toApiVersion(group, version);

/** What `--runtime-config` leaves on, and with `--serve-removed-apis` the versions that upstream has removed. */
export function servedApis({
  runtimeConfig = [],
  serveRemovedApis = false,
}: {
  readonly runtimeConfig?: readonly string[];
  readonly serveRemovedApis?: boolean;
} = {}): ServedApis {
  const isOn = servedGroupVersions(runtimeConfig);
  const removed = serveRemovedApis ? { kinds: removedKinds, requests: removedRequestKinds } : null;
  const current = new Set(
    groupVersions.flatMap(({ group, versions }) =>
      versions.map((version) => toApiVersion(group, version)).filter(isOn),
    ),
  );
  const old = new Set(
    [...(removed?.kinds ?? []), ...(removed?.requests ?? [])].map(groupVersionOf),
  );
  return {
    kinds: [...kinds.filter((kind) => isOn(groupVersionOf(kind))), ...(removed?.kinds ?? [])],
    requestKinds: [...requestKinds, ...(removed?.requests ?? [])],
    groups: allGroupVersions
      .map(({ group, versions }) => ({
        group,
        versions: versions.filter((version) => {
          const groupVersion = toApiVersion(group, version);
          return current.has(groupVersion) || old.has(groupVersion);
        }),
      }))
      .filter(({ versions }) => versions.length > 0),
  };
}
