import { newBadRequest } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { visitContainers } from '../authz/visit-containers.js';
import type { ServerServices } from '../extensions.js';

/** The pod as stored now. Throws NotFound. */
export async function readPod(
  services: ServerServices,
  namespace: string,
  name: string,
): Promise<Pod> {
  return (await services.store('', 'v1', 'pods').get(namespace, name)).object as Pod;
}

function mustNameOne({ metadata, spec }: Pod): never {
  const name = metadata.name ?? '';
  const choices = Array.from(visitContainers(spec), (container) => container.name).join(' ');
  throw newBadRequest(
    choices === ''
      ? `a container name must be specified for pod ${name}`
      : `a container name must be specified for pod ${name}, choose one of: [${choices}]`,
  );
}

/** The container a request means: the one named, or the only one (k8s registry/core/pod/strategy.go:validateContainer). */
export function chooseContainer(pod: Pod, asked: string): string {
  const containers = pod.spec?.containers ?? [];
  if (asked !== '') {
    for (const container of visitContainers(pod.spec)) if (container.name === asked) return asked;
    throw newBadRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  const [only] = containers;
  return only && containers.length === 1 ? only.name : mustNameOne(pod);
}
