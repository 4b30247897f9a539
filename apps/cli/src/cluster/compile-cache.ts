import { join } from 'node:path';

/** Where Node keeps compiled code between starts: what the environment names, as that of the image does, else beside the bundles. */
export const compileCache = (componentDir: string): string =>
  process.env['NODE_COMPILE_CACHE'] ?? join(componentDir, '.compile-cache');
