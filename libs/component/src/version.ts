/** The Kubernetes version whose API and behaviour is modelled, as `kubectl version` shows it. */
export const KUBERNETES_VERSION = 'v1.36.4+orrery';
export const KUBERNETES_MAJOR = '1';
export const KUBERNETES_MINOR = '36';
