import { arithmetic } from './arithmetic.js';
import { authorization } from './authorization.js';
import { comparison } from './comparison.js';
import { conversion } from './conversion.js';
import { lists, mapInserts, sets } from './lists.js';
import { namedFormats } from './named-formats.js';
import { network } from './network.js';
import { operators } from './operators.js';
import { optionals } from './optionals.js';
import { FunctionRegistry } from './overload.js';
import { quantities } from './quantities.js';
import { regexes } from './regex.js';
import { semvers } from './semvers.js';
import { strings } from './strings.js';
import { time } from './time.js';
import { jsonPatchKeys, urls } from './urls.js';

const base = [
  ...operators,
  ...arithmetic,
  ...comparison,
  ...conversion,
  ...time,
  ...strings,
  ...regexes,
  ...lists,
  ...mapInserts,
  ...sets,
  ...optionals,
  ...quantities,
  ...semvers,
  ...network,
  ...urls,
  ...namedFormats,
  ...authorization,
];

/** What Kubernetes 1.36 offers to every expression (k8s apiserver pkg/cel/environment/base.go). */
export const standardFunctions = new FunctionRegistry(base);

/** The same with the functions for JSON patches. */
export const patchFunctions = new FunctionRegistry([...base, ...jsonPatchKeys]);
