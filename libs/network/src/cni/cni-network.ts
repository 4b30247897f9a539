import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CNI_ERROR, CniError } from './cni.js';
import type {
  CniCall,
  CniCommand,
  CniObject,
  CniPlugin,
  CniResult,
  NetworkConfig,
  PluginConfig,
} from './cni.js';
import { ExecPlugin } from './exec-plugin.js';

/** What a sandbox wants of its network. */
export interface Attachment {
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: Readonly<Record<string, string>>;
  /** Values by capability, e.g. `portMappings`; a plugin gets those that it declares. */
  readonly capabilityArgs: CniObject;
}

export interface CniNetworkOptions {
  /** Folders of plugins, first one wins. */
  readonly binDirs: readonly string[];
  /** Results of ADD are kept in `results` below it until DEL, as libcni does. */
  readonly cacheDir: string;
  /** Plugins of ours by type; every other type is a program. */
  readonly builtIn?: Readonly<Record<string, CniPlugin>>;
}

interface CachedResult {
  readonly kind: 'cniCacheV1';
  readonly containerId: string;
  readonly networkName: string;
  readonly ifName: string;
  readonly netns: string;
  readonly config: NetworkConfig;
  readonly cniArgs: Readonly<Record<string, string>>;
  readonly capabilityArgs: CniObject;
  readonly result: CniResult;
}

const WITHOUT_CHECK = ['0.3.0', '0.3.1'];

/** Whether a plugin of the network takes the values of this capability. */
export const declares = (config: NetworkConfig, capability: string): boolean =>
  config.plugins.some(({ capabilities }) => capabilities?.[capability] === true);

/** Attaches sandboxes to one network by the CNI contract: chains plugins, keeps results, takes back what failed. */
export class CniNetwork {
  private readonly verified = new Set<string>();

  constructor(
    readonly config: NetworkConfig,
    private readonly options: CniNetworkOptions,
  ) {}

  /** ADD of each plugin in turn; when one refuses, what the others did is taken back. Rejects with CniError. */
  async add(attachment: Attachment): Promise<CniResult> {
    await this.verify();
    let result: CniResult | undefined;
    try {
      for (const plugin of this.config.plugins) {
        const answer = await this.call('ADD', plugin, attachment, result);
        result = answer ?? result;
      }
    } catch (error) {
      await this.undo(attachment, result);
      throw error;
    }
    if (!result) throw new CniError(CNI_ERROR.decoding, 'no plugin answered a result');
    this.keep(attachment, result);
    return result;
  }

  /** DEL in reverse order; safe to repeat, also for what was never added. */
  async delete(attachment: Attachment): Promise<void> {
    const cached = this.cached(attachment);
    const original = cached
      ? { ...attachment, args: cached.cniArgs, capabilityArgs: cached.capabilityArgs }
      : attachment;
    const { plugins } = cached?.config ?? this.config;
    for (const plugin of [...plugins].reverse())
      await this.call('DEL', plugin, original, cached?.result);
    rmSync(this.fileOf(attachment), { force: true });
  }

  /** CHECK of each plugin with the result of ADD. Rejects with CniError when the attachment is not as it should be. */
  async check(attachment: Attachment): Promise<void> {
    const { disableCheck, cniVersion, plugins } = this.config;
    if (disableCheck || WITHOUT_CHECK.includes(cniVersion)) return;
    const cached = this.cached(attachment);
    if (!cached)
      throw new CniError(
        CNI_ERROR.unknownContainer,
        `no result of ${attachment.containerId} is kept`,
      );
    for (const plugin of plugins) await this.call('CHECK', plugin, attachment, cached.result);
  }

  /** The result of ADD as it was kept. */
  resultOf(attachment: Attachment): CniResult | undefined {
    return this.cached(attachment)?.result;
  }

  /** Asks each plugin once whether it speaks the version of the configuration. */
  async verify(): Promise<void> {
    const { cniVersion, plugins } = this.config;
    for (const { type } of plugins) {
      if (this.verified.has(type)) continue;
      const nothing = { containerId: '', netns: '', ifName: '', args: {}, capabilityArgs: {} };
      const answer = await this.exec(type, this.callOf('VERSION', nothing), { cniVersion });
      const supported = answer?.['supportedVersions'];
      if (!Array.isArray(supported) || !supported.includes(cniVersion))
        throw new CniError(
          CNI_ERROR.incompatibleVersion,
          `plugin ${type} does not support config version "${cniVersion}"`,
        );
      this.verified.add(type);
    }
  }

  private async undo(attachment: Attachment, result: CniResult | undefined): Promise<void> {
    for (const plugin of [...this.config.plugins].reverse())
      // The refusal of ADD is what the caller must see.
      await this.call('DEL', plugin, attachment, result).catch(() => undefined);
  }

  private async call(
    command: CniCommand,
    plugin: PluginConfig,
    attachment: Attachment,
    prevResult: CniResult | undefined,
  ): Promise<CniResult | undefined> {
    const { type } = plugin;
    try {
      const config = this.executionConfig(plugin, attachment, prevResult);
      return await this.exec(type, this.callOf(command, attachment), config);
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      const why = `plugin type="${type}" name="${this.config.name}" failed (${command.toLowerCase()}): ${error.msg}`;
      throw new CniError(error.code, why, error.details, { cause: error });
    }
  }

  /** Spec 1.0, "Deriving execution configuration from plugin configuration". */
  private executionConfig(
    plugin: PluginConfig,
    attachment: Attachment,
    prevResult: CniResult | undefined,
  ): CniObject {
    const { capabilities, ...rest } = plugin;
    const runtimeConfig = Object.fromEntries(
      Object.entries(attachment.capabilityArgs).filter(([name]) => capabilities?.[name] === true),
    );
    return {
      ...rest,
      name: this.config.name,
      cniVersion: this.config.cniVersion,
      ...(Object.keys(runtimeConfig).length > 0 && { runtimeConfig }),
      ...(prevResult && { prevResult }),
    };
  }

  private callOf(command: CniCommand, attachment: Attachment): CniCall {
    const { containerId, netns, ifName, args } = attachment;
    return {
      command,
      containerId,
      netns,
      ifName,
      args: Object.entries(args)
        .map(([key, value]) => `${key}=${value}`)
        .join(';'),
      path: this.options.binDirs,
    };
  }

  private exec(type: string, call: CniCall, config: CniObject): Promise<CniObject | undefined> {
    const plugin = this.options.builtIn?.[type] ?? new ExecPlugin(type);
    return plugin.exec(call, config);
  }

  private fileOf({ containerId, ifName }: Attachment): string {
    return join(this.options.cacheDir, 'results', `${this.config.name}-${containerId}-${ifName}`);
  }

  private keep(attachment: Attachment, result: CniResult): void {
    const { containerId, ifName, netns, args, capabilityArgs } = attachment;
    const entry: CachedResult = {
      kind: 'cniCacheV1',
      containerId,
      networkName: this.config.name,
      ifName,
      netns,
      config: this.config,
      cniArgs: args,
      capabilityArgs,
      result,
    };
    const file = this.fileOf(attachment);
    mkdirSync(join(this.options.cacheDir, 'results'), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, JSON.stringify(entry));
    renameSync(`${file}.new`, file);
  }

  private cached(attachment: Attachment): CachedResult | undefined {
    try {
      return JSON.parse(readFileSync(this.fileOf(attachment), 'utf8')) as CachedResult;
    } catch {
      return undefined;
    }
  }
}
