import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KUBERNETES_VERSION, toTime } from '@orrery/component';
import type { StoredObject } from '@orrery/storage';
import { cacheFolder } from './cache-folder.js';
import type { TestClusterOptions } from './test-cluster-options.js';

/** What the objects of one cluster have in them that those of another have not. */
export interface OwnValues {
  /** Milliseconds since 1970 at which they are made. */
  readonly now: number;
  readonly block: number;
  /** PEM, as the files of certificates have it. */
  readonly authorities: { readonly client: string; readonly requestHeader: string };
}

/** What each new cluster writes for itself, whichever addresses and certificates it has. */
const SAME_IN_ALL =
  /^(clusterroles|clusterrolebindings|roles|rolebindings|namespaces|serviceaccounts|priorityclasses|flowschemas|prioritylevelconfigurations|apiregistration\.k8s\.io)\//;
/** What has those in it. Leases of servers are none of it: one that has gone would be among the endpoints. */
const OF_ONE =
  /^(servicecidrs\/|ipaddresses\/|services\/(specs|endpoints)\/default\/kubernetes$|endpointslices\/default\/kubernetes$|configmaps\/kube-system\/(extension-apiserver-authentication|kube-apiserver-legacy-service-account-token-tracking)$)/;

/** Clusters that write the same at their start. */
export const shapeOf = ({
  controllers,
  nodes,
  services,
}: Pick<TestClusterOptions, 'controllers' | 'nodes' | 'services'>): string =>
  [controllers ? 'controllers' : 'api', ...(services && nodes > 0 ? ['services'] : [])].join('+');

/** A text as it stands in the JSON of an object that is a string of JSON itself. */
function twiceQuoted(text: string): string {
  const quoted = (plain: string): string => JSON.stringify(plain).slice(1, -1);
  return quoted(quoted(text));
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const DAY_SINCE = /(\\"since\\":\\")\d{4}-\d\d-\d\d/g;

/** Texts that stand for a cluster's own values. */
const NOW = '{now}';
const TODAY = '{today}';
const BLOCK = '127.{block}.';
const CLIENT_CA = '{client-ca}';
const HEADER_CA = '{header-ca}';

const withoutOwn = (text: string, { block, authorities }: OwnValues): string =>
  text
    .replaceAll(TIME, NOW)
    .replaceAll(DAY_SINCE, `$1${TODAY}`)
    .replaceAll(`127.${block}.`, BLOCK)
    .replaceAll(twiceQuoted(authorities.client), CLIENT_CA)
    .replaceAll(twiceQuoted(authorities.requestHeader), HEADER_CA);

const withOwn = (text: string, { now, block, authorities }: OwnValues): string =>
  text
    .replaceAll(NOW, toTime(now))
    .replaceAll(TODAY, toTime(now).slice(0, 10))
    .replaceAll(BLOCK, `127.${block}.`)
    .replaceAll(CLIENT_CA, () => twiceQuoted(authorities.client))
    .replaceAll(HEADER_CA, () => twiceQuoted(authorities.requestHeader));

/** Both as JSON of StoredObject[]. */
interface Template {
  readonly same: string;
  readonly ofOne: string;
}

/**
 * What a new API server writes before it is ready, as it was written by an earlier one of the same build: a cluster
 * that finds it in its keyspace is ready at once.
 */
export class BootstrapCache {
  private readonly file: string;
  private template: Template | undefined;
  private same: readonly StoredObject[] = [];

  constructor(bundle: string, shape: string) {
    const { size, mtimeMs } = statSync(bundle);
    const build = `${KUBERNETES_VERSION}-${size}-${Math.round(mtimeMs)}`;
    this.file = join(cacheFolder(), `bootstrap-${shape}-${build}.json`);
  }

  /** The objects of a cluster with these values; undefined when there are none or the file is damaged. */
  read(own: OwnValues): readonly StoredObject[] | undefined {
    const template = this.load();
    if (!template) return undefined;
    // The time of the first is told of all clusters of a process: what is made of most of them is made once.
    if (this.same.length === 0) this.same = parseObjects(withOwn(template.same, own));
    return [...this.same, ...parseObjects(withOwn(template.ofOne, own))];
  }

  /** Keeps what of these objects, a whole cluster's, another would write as well; `own` is what that cluster has. */
  write(objects: readonly StoredObject[], own: OwnValues): void {
    const matching = (keys: RegExp): string =>
      withoutOwn(JSON.stringify(objects.filter(({ key }) => keys.test(key))), own);
    this.template = { same: matching(SAME_IN_ALL), ofOne: matching(OF_ONE) };
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const draft = `${this.file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(this.template), { mode: 0o600 });
    renameSync(draft, this.file);
    this.forgetOthers();
  }

  private load(): Template | undefined {
    if (this.template || !existsSync(this.file)) return this.template;
    try {
      const template = JSON.parse(readFileSync(this.file, 'utf8')) as Template;
      for (const text of [template.same, template.ofOne]) parseObjects(text);
      this.template = template;
    } catch {
      // Damaged: as if it were not there.
    }
    return this.template;
  }

  /** Those of other builds. */
  private forgetOthers(): void {
    const folder = dirname(this.file);
    const mine = basename(this.file);
    const prefix = mine.slice(0, mine.indexOf(KUBERNETES_VERSION));
    for (const name of readdirSync(folder))
      if (name.startsWith(prefix) && name !== mine) rmSync(join(folder, name), { force: true });
  }
}

const parseObjects = (text: string): StoredObject[] => JSON.parse(text) as StoredObject[];
