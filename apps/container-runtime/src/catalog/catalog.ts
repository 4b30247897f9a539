import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from '@orrery/component';
import { parseYaml } from '@orrery/apimachinery';
import { CriError } from '@orrery/cri';
import { IMAGE_DEFINITIONS } from './image-definitions.js';
import type { ImageDefinition, ImageFile } from './image-definitions.js';
import { parseReference } from './reference.js';
import type { ImageReference } from './reference.js';

/** What runs in a container of the image when it names no command. */
export type ProgramName =
  | 'nginx'
  | 'httpd'
  | 'tomcat'
  | 'redis'
  | 'echo'
  | 'pause'
  | 'shell'
  | 'agnhost'
  | 'coredns'
  | 'kube-proxy';

/** A rule of a catalogue folder: the first whose `match` fits `registry/repository:tag` decides. */
export interface CatalogRule {
  readonly match: string;
  readonly program?: ProgramName;
  /** The pull fails with this kind of error. */
  readonly failure?: 'not-found' | 'unauthorized';
  /** Regular expression on `user:password` of who may pull it; others are unauthorized. */
  readonly credentials?: string;
  readonly sizeBytes?: number;
  /** What the image runs by itself, instead of a program. */
  readonly command?: readonly string[];
  /** Texts by absolute path: what commands in its containers, and image volumes, find beside the rest. */
  readonly files?: Readonly<Record<string, string>>;
  /** Scripted behaviour of its containers, where neither they nor their pods say otherwise: `exitAfter: 30s`. */
  readonly behaviour?: Readonly<Record<string, string>>;
}

const PROGRAMS: Readonly<Record<string, ProgramName>> = {
  nginx: 'nginx',
  httpd: 'httpd',
  tomcat: 'tomcat',
  redis: 'redis',
  pause: 'pause',
  coredns: 'coredns',
  'kube-proxy': 'kube-proxy',
};

/** Images whose entry point is a shell that ends at once without a terminal. */
const SHELLS = new Set(
  'busybox alpine debian ubuntu fedora centos rockylinux almalinux amazonlinux bash toybox python node'.split(
    ' ',
  ),
);

const PROGRAM_NAMES: readonly string[] = [...Object.values(PROGRAMS), 'echo', 'shell', 'agnhost'];
const NOT_THERE = /nosuch|doesnotexist|does-not-exist|notfound|missing|^404$|non-?existent/;

function notFound(reference: ImageReference): CriError {
  const name = reference.normalized;
  return new CriError(
    'NOT_FOUND',
    `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`,
  );
}

function unauthorized(reference: ImageReference): CriError {
  const name = reference.normalized;
  return new CriError(
    'UNKNOWN',
    `failed to pull and unpack image "${name}": failed to resolve reference "${name}": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
  );
}

function unreachable(reference: ImageReference): CriError {
  const name = reference.normalized;
  const url = `https://${reference.registry}/v2/${reference.repository}/manifests/${reference.tag || reference.digest}`;
  return new CriError(
    'UNKNOWN',
    `failed to pull and unpack image "${name}": failed to resolve reference "${name}": failed to do request: Head "${url}": dial tcp: lookup ${reference.registry.split(':')[0] ?? ''}: no such host`,
  );
}

/** Which images can be had, and what each does. */
export class Catalog {
  private objects: readonly CatalogRule[] = [];

  constructor(private readonly rules: readonly CatalogRule[] = []) {}

  /** The rules that the API has, behind those of the folder. */
  setObjects(rules: readonly CatalogRule[]): void {
    this.objects = rules;
  }

  /** Reads every `*.yaml` of `folder` in the order of names; see README.md, Configuration. */
  static fromFolder(folder: string): Catalog {
    const files = list(folder).filter((name) => /\.ya?ml$/.test(name));
    return new Catalog(files.sort().flatMap((name) => readRules(join(folder, name))));
  }

  private ruleOf(reference: ImageReference): CatalogRule | undefined {
    const fits = ({ match }: CatalogRule): boolean => new RegExp(match).test(reference.normalized);
    return this.rules.find(fits) ?? this.objects.find(fits);
  }

  private ruleFor(image: string): CatalogRule | undefined {
    const reference = parseReference(image);
    return reference && this.ruleOf(reference);
  }

  /** What a rule says that the image runs by itself. */
  commandOf(image: string): readonly string[] {
    return this.ruleFor(image)?.command ?? [];
  }

  /** What a rule says of the behaviour of its containers. */
  behaviourOf(image: string): Readonly<Record<string, string>> {
    return this.ruleFor(image)?.behaviour ?? {};
  }

  /** Files that a rule gives it. */
  filesOf(image: string): readonly ImageFile[] {
    return Object.entries(this.ruleFor(image)?.files ?? {}).map(([path, text]) => ({
      path: resolve('/', path),
      text,
      mode: 0o644,
    }));
  }

  programOf(image: string): ProgramName {
    const reference = parseReference(image);
    if (!reference) return 'echo';
    const rule = this.ruleOf(reference);
    if (rule?.program) return rule.program;
    return PROGRAMS[reference.name] ?? (SHELLS.has(reference.name) ? 'shell' : 'echo');
  }

  /** Of images whose programs are files of their own; undefined for the rest. */
  definitionOf(image: string): ImageDefinition | undefined {
    const reference = parseReference(image);
    if (!reference) return undefined;
    const rule = this.ruleOf(reference);
    if (rule?.program) return IMAGE_DEFINITIONS[rule.program];
    return IMAGE_DEFINITIONS[reference.name];
  }

  /** The reference when it can be pulled, by these credentials; throws what containerd would answer when not. */
  resolve(image: string, credentials = ''): ImageReference {
    const reference = parseReference(image);
    if (!reference)
      throw new CriError(
        'INVALID_ARGUMENT',
        `failed to parse image reference "${image}": invalid reference format`,
      );
    const rule = this.ruleOf(reference);
    if (rule?.failure === 'not-found') throw notFound(reference);
    if (rule?.failure === 'unauthorized') throw unauthorized(reference);
    if (rule?.credentials !== undefined && !new RegExp(rule.credentials).test(credentials))
      throw unauthorized(reference);
    if (rule) return reference;
    if (/\.invalid(?::\d+)?$/.test(reference.registry)) throw unreachable(reference);
    if (reference.repository.includes('unauthorized')) throw unauthorized(reference);
    if (NOT_THERE.test(reference.repository) || NOT_THERE.test(reference.tag.toLowerCase()))
      throw notFound(reference);
    return reference;
  }

  /** Of the unpacked image: given by a rule, else derived from its digest, 20 to 150 MB. */
  sizeOf(reference: ImageReference, digest: string): number {
    return (
      this.ruleOf(reference)?.sizeBytes ??
      20_000_000 + (Number.parseInt(digest.slice(7, 15), 16) % 130_000_000)
    );
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ConfigError(`--catalog: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function readRules(file: string): CatalogRule[] {
  const plain = parseYaml(readFileSync(file, 'utf8')) as { images?: unknown } | null;
  if (!Array.isArray(plain?.images)) throw new ConfigError(`${file}: images: must be a list`);
  return plain.images.map((entry: unknown, index) => checkRule(entry, `${file}: images[${index}]`));
}

const FIELDS = 'match program failure credentials sizeBytes command files behaviour'.split(' ');

const isText = (value: unknown): boolean => typeof value === 'string';

const isTexts = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every(isText);

/** Fields of several values; throws ConfigError. */
function checkParts(
  { command, files = {}, behaviour = {}, credentials }: Partial<Record<string, unknown>>,
  at: string,
): void {
  if (credentials !== undefined && !isText(credentials))
    throw new ConfigError(`${at}.credentials: must be a regular expression`);
  const isCommand = Array.isArray(command) && command.length > 0 && command.every(isText);
  if (command !== undefined && !isCommand)
    throw new ConfigError(`${at}.command: must be a list of texts`);
  if (!isTexts(files)) throw new ConfigError(`${at}.files: must be a mapping of texts`);
  if (!isTexts(behaviour)) throw new ConfigError(`${at}.behaviour: must be a mapping of texts`);
}

function checkRule(entry: unknown, at: string): CatalogRule {
  if (typeof entry !== 'object' || entry === null)
    throw new ConfigError(`${at}: must be a mapping`);
  const rule = entry as Partial<Record<keyof CatalogRule, unknown>>;
  const unknown = Object.keys(rule).find((key) => !FIELDS.includes(key));
  if (unknown) throw new ConfigError(`${at}.${unknown}: unknown field`);
  if (typeof rule.match !== 'string')
    throw new ConfigError(`${at}.match: must be a regular expression`);
  if (rule.program !== undefined && !PROGRAM_NAMES.some((name) => name === rule.program))
    throw new ConfigError(`${at}.program: must be one of ${PROGRAM_NAMES.join(', ')}`);
  if (rule.failure !== undefined && rule.failure !== 'not-found' && rule.failure !== 'unauthorized')
    throw new ConfigError(`${at}.failure: must be not-found or unauthorized`);
  if (rule.sizeBytes !== undefined && typeof rule.sizeBytes !== 'number')
    throw new ConfigError(`${at}.sizeBytes: must be a number`);
  checkParts(rule, at);
  return rule as CatalogRule;
}
