import { createHash } from 'node:crypto';
import type { Container } from '@orrery/api';

/**
 * Changes exactly when the container must be replaced: name and image, the fields that make a container's identity
 * (k8s 1.31 pkg/kubelet/container/helpers.go:HashContainer).
 */
export function hashContainer(container: Container): string {
  return createHash('sha256')
    .update(JSON.stringify({ name: container.name, image: container.image }))
    .digest('hex')
    .slice(0, 8);
}
