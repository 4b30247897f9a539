/** The container runtime of a node: a CRI server whose containers are built-in programs and host processes. */
export { app } from './app.js';
