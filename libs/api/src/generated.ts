import { readFileSync } from 'node:fs';

/** A file of gen/, as JSON. In this folder, for a bundle has its gen/ beside itself. */
export const readGenerated = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./gen/${name}`, import.meta.url), 'utf8'));
