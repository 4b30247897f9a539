/** What the runtime asks of a plugin (CNI spec 1.0, section 2: "Execution Protocol"). */
export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'VERSION';

export type CniObject = Readonly<Record<string, unknown>>;

/** One plugin of a network configuration, as written. */
export interface PluginConfig extends CniObject {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
}

/** A network configuration list. */
export interface NetworkConfig {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly plugins: readonly PluginConfig[];
}

/** The result of ADD. */
export interface CniResult extends CniObject {
  readonly cniVersion?: string;
  readonly interfaces?: readonly {
    readonly name: string;
    readonly mac?: string;
    readonly sandbox?: string;
  }[];
  readonly ips?: readonly {
    readonly address: string;
    readonly gateway?: string;
    readonly interface?: number;
  }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns?: CniObject;
}

/** Parameters of one call, which a plugin gets in its environment. */
export interface CniCall {
  readonly command: CniCommand;
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  /** `K=V;K=V`. */
  readonly args: string;
  /** Where plugins are looked for, first one wins. */
  readonly path: readonly string[];
}

/** Something that answers CNI calls: a program, or a part of this one. */
export interface CniPlugin {
  /** `config` is the execution configuration; the answer is what the plugin printed. Rejects with CniError. */
  exec(call: CniCall, config: CniObject): Promise<CniObject | undefined>;
}

/** Codes of the specification that are used here; plugins have their own from 100. */
export const CNI_ERROR = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  decoding: 6,
  invalidConfig: 7,
  tryAgain: 11,
} as const;

/** A plugin's refusal. */
export class CniError extends Error {
  constructor(
    readonly code: number,
    readonly msg: string,
    readonly details = '',
    options?: ErrorOptions,
  ) {
    super(details === '' ? msg : `${msg}; ${details}`, options);
    this.name = 'CniError';
  }
}

export const CNI_VERSION = '1.0.0';

/** Versions of the specification that the runtime speaks; earlier ones have results of another form. */
export const CNI_VERSIONS: readonly string[] = ['0.3.0', '0.3.1', '0.4.0', CNI_VERSION];
