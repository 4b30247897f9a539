/**
 * A Kubernetes cluster in one unprivileged container: `await new OrreryContainer().withNodes(3).start()`, in the manner of
 * the modules of testcontainers. The same image runs from any language's testcontainers as a generic container (README).
 */
export { OrreryContainer } from './orrery-container.js';
export { StartedOrreryContainer } from './started-orrery-container.js';
