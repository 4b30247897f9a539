// The registry that upstream keeps for these specs gives its images to one account alone.
import { apply } from './apply.mjs';

const rule = {
  apiVersion: 'orrery.dev/v1',
  kind: 'ImageRule',
  metadata: { name: 'authenticated-image-pulling' },
  spec: { match: String.raw`^gcr\.io/authenticated-image-pulling/`, credentials: '^_json_key:' },
};

/** Images of gcr.io/authenticated-image-pulling are refused to pods without its credentials. */
export const keepPrivate = (kubeconfig) => apply(kubeconfig, rule);
